"""Lists of articles: what can be used is read, the rest is told with its row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identities.article_list import NoArticleList, read_articles
from app.identities.suggest import Described


def test_a_list_is_read_and_numbers_stay_as_they_are_written() -> None:
    listed = read_articles(
        "title,external_id,gtin,sku,shelf\r\n"
        '"Shirt, blue",0007,036000241457 73513537,TS-1,A4\r\n'
        "Coat,8,,,\r\n"
    )

    assert listed.articles == {
        "0007": Described("TS-1", ("036000241457", "73513537"), "Shirt, blue"),
        "8": Described(title="Coat"),
    }
    assert listed.faults == ()


def test_a_number_that_a_spreadsheet_made_leaves_out_its_row_alone() -> None:
    """E-D22. The row is named, and so is the way out; the others are read."""
    listed = read_articles("external_id,gtin\n1,4.00638E+12\n2,036000241457\n4E+05,\n")

    assert list(listed.articles) == ["2"]
    assert [(row, words.split(" is ")[0]) for row, words in listed.faults] == [
        (2, "4.00638E+12"),
        (4, "4E+05"),
    ]
    assert "Export the list again with this column as text." in listed.faults[0][1]


@pytest.mark.parametrize("sku", ["12E4", "1E5", "E+05", "40E+05", "4E-05"])
def test_an_article_number_that_only_looks_like_one_is_read(sku: str) -> None:
    assert list(read_articles(f"external_id\n{sku}\n").articles) == [sku]


def test_what_is_there_twice_or_not_at_all_is_left_out() -> None:
    listed = read_articles("external_id,title\nA,One\n,Two\nA,Three\n" + "x" * 201 + ",Four\n")

    assert listed.articles == {"A": Described(title="One")}
    assert [row for row, _ in listed.faults] == [3, 4, 5]


@pytest.mark.parametrize(
    "text", ["", "sku,title\nA,B\n", 'external_id\n"open', "external_id\n" + "x" * 20_000]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(NoArticleList):
        read_articles(text)


@given(st.text(max_size=200))
def test_whatever_is_in_a_file_is_read_or_refused(text: str) -> None:
    try:
        listed = read_articles("external_id,sku,gtin,title\n" + text)
    except NoArticleList:
        return

    assert all(name.strip() == name and name for name in listed.articles)
