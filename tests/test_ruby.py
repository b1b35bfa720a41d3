from __future__ import annotations

from movie_build.article import Paragraph
from movie_build.extract import from_html, from_markdown

FILL = "<p>変わったところだけを作り直すので、とても速く終わります。ほかのところはそのままです。</p>"


def readings(body: str) -> tuple[tuple[str, str], ...]:
    page = f"<html lang=ja><title>速さ</title><body><article>{FILL}{body}{FILL}</article></body></html>"
    return from_html(page, "https://example.com/a").readings


def test_the_readings_beside_words_are_kept_and_the_text_is_without_them() -> None:
    text = "<ruby>冪等<rp>（</rp><rt>べきとう</rt><rp>）</rp></ruby>な<ruby>関数<rt>かんすう</rt></ruby>です。"
    article = from_markdown(f"# 速さ\n\n{text}\n", "a.md")
    assert article.blocks == (Paragraph("冪等な関数です。"),)
    assert article.readings == (("冪等", "べきとう"), ("関数", "かんすう"))


def test_a_word_with_a_reading_a_character_is_one_word() -> None:
    assert readings("<p><ruby>東<rt>とう</rt>京<rt>きょう</rt></ruby>の話をします。</p>") == (
        ("東京", "とうきょう"),
    )
    base = "<ruby><rb>東</rb><rb>京</rb><rtc><rt>とう</rt><rt>きょう</rt></rtc></ruby>"
    assert readings(f"<p>{base}の話をします。</p>") == (("東京", "とうきょう"),)


def test_what_cannot_stand_in_a_dictionary_is_left_out() -> None:
    twice = "<ruby>今日<rt>きょう</rt></ruby>と<ruby>今日<rt>こんにち</rt></ruby>の話をします。"
    gloss = "<ruby>変更<rt>change</rt></ruby>と<ruby>いま<rt>now</rt></ruby>の話もします。"
    assert readings(f"<p>{twice}{gloss}<ruby>空<rt></rt></ruby></p>") == ()
