"""The table of options in docs/configuration.md; run as a program, this file writes it there."""

from pathlib import Path
from typing import Final

from amqpd.options import OPTIONS, Option

PAGE: Final = Path(__file__).parents[2] / "docs" / "configuration.md"
BEGIN: Final = "<!-- options -->\n"
END: Final = "<!-- /options -->\n"
HEAD: Final = "| In the file | Flag | Environment | Default | Meaning |\n|---|---|---|---|---|\n"


def table() -> str:
    """The options as a Markdown table, one row each, in their order."""
    return HEAD + "".join(row(option) for option in OPTIONS)


def row(option: Option) -> str:
    """One row of the table."""
    key = f"`{option.key}`" if option.name != "config" else ""
    variables = ", ".join(f"`{variable}`" for variable in option.variables)
    default = f"`{option.default}`" if option.default else ""
    return f"| {key} | `{option.flag}` | {variables} | {default} | {option.help} |\n"


def table_of(page: str) -> str:
    """What stands between the marks of the page."""
    return page.partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace(table_of(text), table()), encoding="utf-8")
