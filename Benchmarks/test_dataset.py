"""The rows fit together, and the token that is asked for is there."""

from dataset import Dataset, service_id, user_name

SMALL = Dataset(services=7, tools_per_service=3, users=12, tokens=50)


def test_each_token_is_there_once_and_under_the_number_by_which_it_is_picked() -> None:
    tables = {table.name: list(table.rows()) for table in SMALL.tables(bytes(32))}
    loaded = [row[:2] for row in tables["user_tokens"]]
    picked = {(service_id(service), user_name(user)) for service, user in map(SMALL.place, range(SMALL.tokens))}
    assert len(loaded) == SMALL.tokens
    assert set(loaded) == picked
    assert loaded == sorted(loaded), "InnoDB would split its pages"
    assert [row[:2] for row in tables["token_grants"]] == loaded


def test_rows_have_a_value_for_each_column_and_name_what_there_is() -> None:
    tables = {table.name: table for table in SMALL.tables(bytes(32))}
    rows = {name: list(table.rows()) for name, table in tables.items()}
    assert all(len(row) == len(tables[name].columns) for name in tables for row in rows[name])
    assert {row[1] for row in rows["tools"]} == {row[0] for row in rows["services"]}
    assert {row[1] for row in rows["users"]} <= {row[0] for row in rows["roles"]}
    assert {row[0] for row in rows["tool_roles"]} <= {row[0] for row in rows["tools"]}


def test_the_standard_sizes_are_those_of_the_targets() -> None:
    dataset = Dataset()
    assert (dataset.tools, len(dataset.tools_of_role(19))) == (500, 30)
