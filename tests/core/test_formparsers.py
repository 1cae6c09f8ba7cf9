"""Forms: what is read, what is refused, and what an attack costs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from tempfile import SpooledTemporaryFile
from time import process_time
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.formparsers
from core._multipart import parse_parameters
from core.datastructures import FormData, Headers, UploadFile
from core.exceptions import StarletteDeprecationWarning
from core.formparsers import FormMessage, FormParser, MultiPartException, MultiPartParser
from tests.core.connections import cpu_seconds, growth

MIB = 1024 * 1024


async def stream_of(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


def part(name: str, content: bytes, *more_headers: str, filename: str | None = None) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    head = "\r\n".join(["--edge", disposition, *more_headers]).encode()
    return head + b"\r\n\r\n" + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join([*parts, b"--edge--\r\n"])


async def parse(data: bytes, *, pieces: int = 0, content_type: str = "", **limits: Any) -> FormData:
    headers = Headers({"content-type": content_type or "multipart/form-data; boundary=edge"})
    chunks = [data[start : start + pieces] for start in range(0, len(data), pieces)] if pieces else [data]
    return await MultiPartParser(headers, stream_of(*chunks), **limits).parse()


async def parse_urlencoded(*chunks: bytes, **limits: Any) -> FormData:
    return await FormParser(Headers(), stream_of(*chunks), **limits).parse()


def parse_in_loop(data: bytes, **options: Any) -> None:
    async def run() -> None:
        with contextlib.suppress(MultiPartException):
            await (await parse(data, **options)).close()

    anyio.run(run)


class TestUrlencoded:
    async def test_fields_are_decoded_wherever_the_body_is_cut(self) -> None:
        expected = FormData([("name", "Ada Lovelace"), ("city", "Köln"), ("a", ""), ("b", "")])
        data = b"name=Ada+Lovelace&city=K%C3%B6ln&a=&&b"
        for cut in range(len(data)):
            assert await parse_urlencoded(data[:cut], data[cut:], b"") == expected
        assert await parse_urlencoded() == FormData()

    async def test_cve_2026_54283_the_number_of_fields_is_limited(self) -> None:
        assert len(await parse_urlencoded(b"&".join(b"f%d=1" % n for n in range(10)), max_fields=10)) == 10
        with pytest.raises(MultiPartException, match=r"Too many fields. Maximum number of fields is 10."):
            await parse_urlencoded(b"&".join(b"f%d=1" % n for n in range(11)), max_fields=10)

    async def test_cve_2026_54283_name_and_value_together_are_limited(self) -> None:
        assert (await parse_urlencoded(b"ab=" + b"x" * 1022, max_part_size=1024))["ab"] == "x" * 1022
        for chunks in ([b"ab=" + b"x" * 1023], [b"ab=", b"x" * 1000, b"x" * 23], [b"a=1&ab=" + b"x" * 1023 + b"&c=1"]):
            with pytest.raises(MultiPartException, match=r"Field exceeded maximum size of 1KB."):
                await parse_urlencoded(*chunks, max_part_size=1024)

    async def test_cve_2026_54283_a_form_beyond_a_limit_is_not_read_to_its_end(self) -> None:
        read = []

        async def endless() -> AsyncGenerator[bytes, None]:
            while True:
                read.append(1)
                yield b"x" * 65536

        with pytest.raises(MultiPartException):
            await FormParser(Headers(), endless()).parse()
        assert len(read) == 17

    async def test_cve_2026_54283_a_million_fields_cost_little(self) -> None:
        many = b"a=1&" * 1_000_000
        with pytest.raises(MultiPartException, match="Too many fields"):
            await parse_urlencoded(many)
        parser = FormParser(Headers(), stream_of())

        def refuse(size: int) -> None:
            with pytest.raises(MultiPartException):
                parser.parse_body(many)

        assert cpu_seconds(refuse, 1) < 0.05

    async def test_all_fields_together_are_limited(self) -> None:
        fields = [b"f=" + b"x" * (MIB - 10) + b"&"] * 17
        with pytest.raises(MultiPartException, match=r"Form exceeded maximum size of 16384KB."):
            await parse_urlencoded(*fields)

    async def test_cve_2026_53538_only_an_ampersand_separates(self) -> None:
        assert await parse_urlencoded(b"a=1;b=2") == FormData([("a", "1;b=2")])

    def test_cve_2026_53539_parsing_takes_linear_time(self) -> None:
        for field in (b"a=1;", b"%41=+&", b"=&"):
            assert growth(lambda size, field=field: FormParser(  # type: ignore[misc]
                Headers(), stream_of(), max_fields=10**9).parse_body(field * size), 2000) < 10  # fmt: skip


class TestMultipart:
    async def test_fields_and_files_are_read_wherever_the_body_is_cut(self) -> None:
        data = body(
            part("name", "Köln".encode()),
            part("file", b"\r\n--edg\r\n\r\n--", "Content-Type: text/css", filename="a.css"),
            part("empty", b""),
        )
        for pieces in range(1, len(data) + 1):
            form = await parse(data, pieces=pieces)
            upload = form["file"]
            assert isinstance(upload, UploadFile)
            assert (form["name"], form["empty"]) == ("Köln", "")
            assert (upload.filename, upload.content_type, upload.size) == ("a.css", "text/css", 13)
            assert await upload.read() == b"\r\n--edg\r\n\r\n--"
            await form.close()

    @given(content=st.binary(max_size=200), pieces=st.integers(1, 50))
    def test_any_content_comes_back_as_it_was(self, content: bytes, pieces: int) -> None:
        async def check() -> None:
            form = await parse(body(part("f", content, filename="f")), pieces=pieces)
            upload = form["f"]
            assert isinstance(upload, UploadFile)
            assert await upload.read() == content
            await form.close()

        anyio.run(check)

    async def test_prose_around_the_parts_and_blanks_after_boundaries_are_skipped(self) -> None:
        data = b"preamble\r\n" + part("a", b"1").replace(b"--edge\r\n", b"--edge \t\r\n") + b"--edge--\r\nepilogue"
        assert await parse(data) == FormData([("a", "1")])

    async def test_a_part_is_a_file_if_it_has_a_file_name_even_an_empty_one(self) -> None:
        form = await parse(body(part("a", b"", filename=""), part("b", b"text", "Content-Type: text/plain")))
        assert isinstance(form["a"], UploadFile)
        assert form["b"] == "text"
        await form.close()

    async def test_text_is_decoded_by_the_charset_or_as_latin_1(self) -> None:
        latin = body(part("a", b"K\xf6ln"))
        for content_type in (
            "",
            "multipart/form-data; boundary=edge; charset=latin-1",
            "multipart/form-data; charset=x; boundary=edge",
        ):
            assert (await parse(latin, content_type=content_type))["a"] == "Köln"

    @pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "Raw-Unicode-Escape", "undefined"])
    async def test_an_escaping_that_is_no_charset_is_left_as_it_is(self, charset: str) -> None:
        content_type = f"multipart/form-data; boundary=edge; charset={charset}"
        for text in (b"xn--99999999999", b"\\x41", b"..."):
            assert (await parse(body(part("a", text)), content_type=content_type))["a"] == text.decode()

    def test_no_charset_makes_text_cost_more_than_linear_time(self) -> None:
        content_type = "multipart/form-data; boundary=edge; charset=punycode"

        def read(size: int) -> None:
            parse_in_loop(body(part("a", b"a" * size + b"-" + b"aaaa" * size)), content_type=content_type)

        assert growth(read, 20_000) < 10

    async def test_the_boundary_may_be_quoted(self) -> None:
        assert await parse(body(part("a", b"1")), content_type='Multipart/Form-Data; Boundary="edge"')

    @pytest.mark.parametrize(
        ("content_type", "message"),
        [
            ("multipart/form-data", "Missing boundary in multipart."),
            ("multipart/form-data; boundary=", "Invalid multipart data."),
            ("multipart/form-data; boundary=" + "x" * 257, "Invalid multipart data."),
        ],
    )
    @pytest.mark.requirement("LIM-3")
    async def test_a_boundary_of_at_most_256_bytes_is_needed(self, content_type: str, message: str) -> None:
        with pytest.raises(MultiPartException, match=message):
            await parse(b"", content_type=content_type)

    @pytest.mark.parametrize(
        "data",
        [
            b"no boundary at all",
            part("a", b"1"),
            b"--edge\r\nno colon\r\n\r\n1\r\n--edge--",
            b"--edge\r\nbad name: 1\r\n\r\n1\r\n--edge--",
            b"--edge\r\nX: a\nb\r\n\r\n1\r\n--edge--",
            b"--edge\r\nX: a\r\n folded\r\n\r\n1\r\n--edge--",
            b"--edgeX\r\n\r\n1\r\n--edge--",
        ],
    )
    async def test_what_does_not_follow_the_grammar_is_refused(self, data: bytes) -> None:
        with pytest.raises(MultiPartException, match=r"Invalid multipart data."):
            await parse(data)

    @pytest.mark.parametrize("data", [b"--edge\r\n\r\n1\r\n--edge--", b"--edge\r\nX: 1\r\n\r\n1\r\n--edge--"])
    async def test_a_part_needs_a_name(self, data: bytes) -> None:
        with pytest.raises(MultiPartException, match='"name" must be provided'):
            await parse(data)


class TestMultipartLimits:
    @pytest.mark.requirement("LIM-3")
    async def test_cve_2023_30798_fields_and_files_are_counted(self) -> None:
        assert len(await parse(body(*(part(f"f{n}", b"1") for n in range(10))), max_fields=10)) == 10
        with pytest.raises(MultiPartException, match=r"Too many fields. Maximum number of fields is 9."):
            await parse(body(*(part(f"f{n}", b"1") for n in range(10))), max_fields=9)
        with pytest.raises(MultiPartException, match=r"Too many files. Maximum number of files is 1."):
            await parse(body(part("a", b"1", filename="a"), part("b", b"1", filename="b")), max_files=1)

    async def test_cve_2023_30798_the_default_is_a_thousand(self) -> None:
        with pytest.raises(MultiPartException, match="1000"):
            await parse(body(*(part(f"f{n}", b"1") for n in range(1001))))

    async def test_cve_2023_30798_fields_together_are_limited(self) -> None:
        with pytest.raises(MultiPartException, match=r"Form exceeded maximum size of 16384KB."):
            await parse(body(*(part(f"f{n}", b"x" * MIB) for n in range(17))))

    async def test_many_files_leave_room_for_the_text_behind_them(self) -> None:
        files = (part("photo", b"x" * (MIB - 1), filename="photo.jpg") for _ in range(17))
        form = await parse(body(*files, part("title", b"Holidays")))

        assert form["title"] == "Holidays"
        await form.close()

    async def test_cve_2024_47874_a_part_without_file_name_is_limited_while_it_arrives(self) -> None:
        read = []

        async def endless() -> AsyncGenerator[bytes, None]:
            yield part("a", b"")[:-2]
            while True:
                read.append(1)
                yield b"x" * 65536

        headers = Headers({"content-type": "multipart/form-data; boundary=edge"})
        with pytest.raises(MultiPartException, match=r"Part exceeded maximum size of 1024KB."):
            await MultiPartParser(headers, endless()).parse()
        assert len(read) == 17

    @pytest.mark.requirement("LIM-3")
    async def test_cve_2026_42561_the_headers_of_a_part_are_limited(self) -> None:
        assert await parse(body(part("a", b"1", *(f"X-{n}: 1" for n in range(7)))))
        for headers in ([f"X-{n}: 1" for n in range(8)], [f"X: {'x' * 5000}"]):
            for pieces in (0, 100):
                with pytest.raises(MultiPartException, match="Invalid"):
                    await parse(body(part("a", b"1", *headers)), pieces=pieces)

    @pytest.mark.parametrize("prose", [b"x" * 10 * MIB, b"\r\n" * 5 * MIB, b"\r" * 10 * MIB, b"--edg" * 2 * MIB])
    def test_cve_2024_53981_and_2026_40347_much_text_around_the_parts_is_refused_quickly(
        self, prose: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        for data in (prose + b"\r\n" + body(part("a", b"1")), body(part("a", b"1")) + prose):
            with pytest.raises(MultiPartException, match="Invalid"):
                anyio.run(partial(parse, data, pieces=65536))
            assert cpu_seconds(lambda size, data=data: parse_in_loop(data, pieces=65536), 1) < 0.2  # type: ignore[misc]
        assert not caplog.records

    @pytest.mark.parametrize("content", [b"\r", b"\n", b"\r\n", b"\r\n-", b"\r\n--edg", b"\r\n--edge"[:-1], b" "])
    def test_cve_2023_46136_near_boundaries_take_linear_time(self, content: bytes) -> None:
        def read(size: int) -> None:
            parse_in_loop(body(part("a", content * size, filename="a")), pieces=4096)

        assert growth(read, 20_000) < 10

    def test_cve_2025_69229_many_small_pieces_take_linear_time(self) -> None:
        assert growth(lambda size: parse_in_loop(body(part("a", b"x" * size)), pieces=1), 4000) < 10

    def test_cve_2025_69229_a_megabyte_in_single_bytes_costs_less_than_a_second(self) -> None:
        started = process_time()
        parse_in_loop(body(part("a", b"x" * MIB)), pieces=1)
        assert process_time() - started < 1

    def test_cve_2024_24762_and_2026_28356_parameters_take_linear_time(self) -> None:
        for text in (b"; ", b'"', b"\\", b'\\"', b"=", b";=", b'a="', b' a="b\\";'):
            assert growth(lambda size, text=text: parse_parameters(b"form-data; x=" + text * size), 2000) < 10  # type: ignore[misc]

    async def test_cve_2026_24486_a_file_name_is_never_a_path(self) -> None:
        form = await parse(body(part("f", b"x", filename="../../etc/passwd")))
        upload = form["f"]
        assert isinstance(upload, UploadFile)
        assert upload.filename == "../../etc/passwd"
        assert not isinstance(upload.file.name, str)
        await form.close()

    async def test_ghsa_vffw_93wf_4j4q_extended_parameters_do_not_override_plain_ones(self) -> None:
        disposition = "Content-Disposition: form-data; name*=utf-8''b; name=a; filename*=utf-8''evil; filename=good"
        form = await parse(f"--edge\r\n{disposition}\r\n\r\nx\r\n--edge--".encode())
        upload = form["a"]
        assert isinstance(upload, UploadFile)
        assert upload.filename == "good"
        await form.close()
        only_extended = "Content-Disposition: form-data; name=a; filename*=utf-8''evil"
        assert (await parse(f"--edge\r\n{only_extended}\r\n\r\nx\r\n--edge--".encode()))["a"] == "x"


class RememberingFile(SpooledTemporaryFile[bytes]):
    made: list[RememberingFile]
    writers: set[threading.Thread]

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size)
        self.made.append(self)
        self.is_on_disk = False

    def rollover(self) -> None:
        self.writers.add(threading.current_thread())
        self.is_on_disk = True
        super().rollover()


class TestFiles:
    @pytest.fixture(autouse=True)
    def files(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RememberingFile]]:
        RememberingFile.made, RememberingFile.writers = [], set()
        monkeypatch.setattr(core.formparsers, "SpooledTemporaryFile", RememberingFile)
        yield RememberingFile.made
        for file in RememberingFile.made:
            file.close()

    async def test_cve_2025_54121_a_large_file_goes_to_the_disk_in_a_thread(self, files: list[RememberingFile]) -> None:
        content = b"0123456789" * 300_000
        form = await parse(body(part("f", content, filename="f")), pieces=65536)
        upload = form["f"]
        assert isinstance(upload, UploadFile)
        assert await upload.read() == content
        assert files[0].is_on_disk
        assert RememberingFile.writers
        assert threading.main_thread() not in RememberingFile.writers

    async def test_many_files_below_the_limit_do_not_fill_the_memory(self, files: list[RememberingFile]) -> None:
        await parse(body(*(part("f", b"x" * (MIB - 1), filename="f") for _ in range(20))), pieces=65536)
        assert [file.is_on_disk for file in files] == [False] * 17 + [True] * 3

    async def test_files_are_closed_when_the_form_is_refused(self, files: list[RememberingFile]) -> None:
        for ending in (b"--edge\r\nbad\r\n\r\n", part("b", b"x" * MIB + b"x"), b""):
            with pytest.raises(MultiPartException):
                await parse(part("a", b"1", filename="a") + ending)
        assert len(files) == 3
        assert all(file.closed for file in files)

    async def test_files_are_closed_when_the_stream_fails_or_is_cancelled(self, files: list[RememberingFile]) -> None:
        headers = Headers({"content-type": "multipart/form-data; boundary=edge"})

        async def failing() -> AsyncGenerator[bytes, None]:
            yield part("a", b"1", filename="a")
            raise OSError("gone")

        async def waiting() -> AsyncGenerator[bytes, None]:
            yield part("a", b"1", filename="a")
            cancelled.cancel()
            await anyio.sleep_forever()

        with pytest.raises(OSError, match="gone"):
            await MultiPartParser(headers, failing()).parse()
        with anyio.CancelScope() as cancelled:
            await MultiPartParser(headers, waiting()).parse()
        assert len(files) == 2
        assert all(file.closed for file in files)


class TestParameters:
    @pytest.mark.parametrize(
        ("value", "parameters"),
        [
            (b"form-data", {}),
            (b'form-data; name="a b"; Filename=c', {b"name": b"a b", b"filename": b"c"}),
            (b'form-data; name="a;b=c"', {b"name": b"a;b=c"}),
            (b'form-data; name="a\\"b"; filename="C:\\dir\\x"', {b"name": b'a"b', b"filename": b"C:\\dir\\x"}),
            (b"form-data; name = a ;;; b", {b"name": b"a"}),
            (b"form-data; name=a; name=b", {b"name": b"a"}),
            (b'form-data; name="never closed', {b"name": b"never closed"}),
            (b'form-data; name="a" junk; b=c', {b"name": b"a", b"b": b"c"}),
        ],
    )
    def test_tokens_and_quoted_strings_are_read(self, value: bytes, parameters: dict[bytes, bytes]) -> None:
        assert parse_parameters(value) == (b"form-data", parameters)


def test_the_names_of_a_former_parsers_events_warn() -> None:
    with pytest.warns(StarletteDeprecationWarning):
        assert FormMessage(1) is FormMessage.FIELD_START
