"""A small MCP service to try the registry with: a pizzeria. It runs on fastmcp 2.12 to 4.

    python Examples/demo_service.py [--port 9000]

It serves http://127.0.0.1:PORT/mcp. Port 0 lets the system choose; the port is then in the line that uvicorn prints.
"""

import argparse

from fastmcp import FastMCP

PIZZAS = {"margherita": 9.5, "funghi": 11.0, "quattro formaggi": 12.5}

pizzeria = FastMCP("pizzeria")


@pizzeria.tool
def list_pizzas() -> dict[str, float]:
    """List every pizza with its price in euros."""
    return PIZZAS


@pizzeria.tool
def price(pizza: str, count: int = 1) -> float:
    """Tell what some pizzas of one kind cost, in euros."""
    return PIZZAS[pizza] * count


@pizzeria.tool
def order(pizza: str, address: str) -> str:
    """Order one pizza to an address."""
    return f"One {pizza} is on its way to {address}"


# The registry takes a service's description from the resource of this name when it is registered without one.
@pizzeria.resource("resource://service_description", name="service_description")
def service_description() -> str:
    """What this service is for."""
    return "Order pizza: prices, and delivery to an address."


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A pizzeria that speaks MCP.")
    arguments.add_argument("--port", type=int, default=9000, help="port on 127.0.0.1 (9000)")
    pizzeria.run(transport="http", host="127.0.0.1", port=arguments.parse_args().port, show_banner=False)
