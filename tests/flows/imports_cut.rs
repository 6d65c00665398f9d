//! Files are cut into parts: lines told exactly, whatever stands in their cells, and bad files told as such.

use domain::import::Format;
use imports::cut::{BYTES_OF_PART, Cells, Part, ROWS_OF_PART, Stop, cut};
use serde_json::{Value, json};
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The parts of a file called `f`, or why there are none.
pub(crate) fn parts(file: &[u8], format: Format) -> Result<Vec<Part>, String> {
    let mut place = tempfile::tempfile().unwrap();
    place.write_all(file).unwrap();
    let mut parts = Vec::new();
    let done = cut(place, "f", format, &mut |part| {
        parts.push(part);
        true
    });
    match done {
        Ok(()) => Ok(parts),
        Err(Stop::Unreadable(why)) => Err(why.to_string()),
        Err(other) => panic!("{other:?}"),
    }
}

/// Lines with what their cells say; a broken row is what is wrong with it.
pub(crate) fn lines(file: &[u8], format: Format) -> Vec<(u64, Value)> {
    let rows = parts(file, format).unwrap().into_iter().flat_map(|part| part.rows);
    rows.map(|row| {
        let said = match row.cells {
            Cells::Row(row) => serde_json::to_value(row).unwrap(),
            Cells::Broken(broken) => json!(broken.wrong),
        };
        (row.line, said)
    })
    .collect()
}

pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A workbook of one sheet: texts, and what begins with `#` as a number, with `@` as a day, with `!` as an error.
pub(crate) fn workbook(rows: &[Vec<&str>]) -> Vec<u8> {
    let mut cells = String::new();
    for (row, texts) in (1..).zip(rows) {
        cells.push_str(&format!("<row r=\"{row}\">"));
        for (column, text) in ('A'..).zip(texts).filter(|(_, text)| !text.is_empty()) {
            let at = format!("r=\"{column}{row}\"");
            cells.push_str(&match text.split_at(1) {
                ("#", number) => format!("<c {at}><v>{number}</v></c>"),
                ("@", day) => format!("<c {at} s=\"1\"><v>{day}</v></c>"),
                ("!", error) => format!("<c {at} t=\"e\"><v>{error}</v></c>"),
                _ => format!("<c {at} t=\"inlineStr\"><is><t>{text}</t></is></c>"),
            });
        }
        cells.push_str("</row>");
    }
    workbook_of(&cells)
}

/// One whose sheet has these rows, as they are written.
fn workbook_of(cells: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let doc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let rels = "http://schemas.openxmlformats.org/package/2006/relationships";
    let kinds = "http://schemas.openxmlformats.org/package/2006/content-types";
    let form = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let files = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{kinds}\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Override PartName=\"/xl/workbook.xml\" ContentType=\"{form}.sheet.main+xml\"/>\
                 <Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{form}.worksheet+xml\"/>\
                 <Override PartName=\"/xl/styles.xml\" ContentType=\"{form}.styles+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{rels}\"><Relationship Id=\"r1\" Type=\"{doc}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{doc}\"><sheets><sheet name=\"Mugs\" sheetId=\"1\" \
                 r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{rels}\"><Relationship Id=\"r1\" Type=\"{doc}/worksheet\" \
                 Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"{doc}/styles\" \
                 Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>\
                 </cellXfs></styleSheet>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{cells}</sheetData></worksheet>"),
        ),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    zipped(&files)
}

#[test]
fn lines_of_csv_are_told_exactly_whatever_its_cells_have() {
    let file = "id,name\r\n1,\"a\nb\"\r\n\r\n2,\"c \"\"d\"\"\"\n\n\n3\n4,x,y\n5,\"e\"f\n6,g";
    assert_eq!(
        lines(file.as_bytes(), Format::Csv),
        [
            (2, json!({"id": "1", "name": "a\nb"})),
            (5, json!({"id": "2", "name": "c \"d\""})),
            (8, json!("it has 1 cells, and the header has 2")),
            (9, json!("it has 3 cells, and the header has 2")),
            (10, json!("a cell goes on behind its closing quote")),
            (11, json!({"id": "6", "name": "g"})),
        ]
    );
    let table =
        [("a;b,c;d\n1;2,5;\n", "b,c", "2,5"), ("a\tb\n1\t2;3\n", "b", "2;3"), ("a|b\n1|2\n", "b", "2")];
    for (file, column, cell) in table {
        let first = lines(file.as_bytes(), Format::Csv).remove(0);
        assert_eq!((first.0, &first.1["a"], &first.1[column]), (2, &json!("1"), &json!(cell)), "{file}");
    }
    // Columns without a name are left out, and names have no blanks at their ends.
    assert_eq!(lines(b" id ,,x\n1,2,3\n", Format::Csv), [(2, json!({"id": "1", "x": "3"}))]);
}

#[test]
fn rows_of_json_keep_their_numbers_as_they_are_written() {
    let file = b"[\n {\"id\": 7, \"price\": 12.50, \"big\": 123456789012345678901234567890.10,\n\
        \"on\": true, \"tags\": [\"a\", 1e3], \"size\": {\"cm\": 2.0}, \"path\": [{\"id\": \"x\"}, {\"id\": \"y\"}]},\n\
        5,\n {\"id\": nonsense}\n]\n";
    let first = json!({
        "id": "7", "price": "12.50", "big": "123456789012345678901234567890.10", "on": true,
        "tags": ["a", "1e3"], "size": {"cm": "2.0"}, "size.cm": "2.0",
        "path": [{"id": "x"}, {"id": "y"}], "path.id": ["x", "y"],
    });
    let broken = "it is no JSON: expected ident in line 5, column 9";
    let want = [(2, first), (4, json!("it is no object")), (5, json!(broken))];
    assert_eq!(lines(file, Format::Json), want);
    let file = b"{\"id\": 1}\n\n{\"id\": 2\n{\"id\": \"\xc3\xa4\"}";
    assert_eq!(
        lines(file, Format::Jsonl),
        [
            (1, json!({"id": "1"})),
            (3, json!("it is no JSON: EOF while parsing an object in line 3, column 8")),
            (4, json!({"id": "ä"})),
        ]
    );
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(60), "]".repeat(60));
    let told = "`x` has values within each other, more than 16 deep";
    assert_eq!(lines(deep.as_bytes(), Format::Jsonl), [(1, json!(told))]);
    let told = "`x` has a value whose name is empty";
    assert_eq!(lines(br#"{"x": [{"": 1}]}"#, Format::Jsonl), [(1, json!(told))]);
}

#[test]
fn cells_of_a_workbook_are_texts_numbers_as_they_were_typed_and_days() {
    let rows = [
        vec!["id", "price", "", "since", "old"],
        vec!["#1", "#0.1", "", "@45292", "x"],
        vec![],
        vec!["2", "#1234567.25", "", "", ""],
        vec!["3", "!#N/A", "", "", ""],
        vec!["4", "", "stray", "", ""],
    ];
    assert_eq!(
        lines(&workbook(&rows), Format::Xlsx),
        [
            (2, json!({"id": "1", "price": "0.1", "since": "2024-01-01", "old": "x"})),
            (4, json!({"id": "2", "price": "1234567.25", "since": null, "old": null})),
            (5, json!("it is the error #N/A")),
            (6, json!("it has a cell in column C, which has no name")),
        ]
    );
}

#[test]
fn a_part_has_ninety_rows_of_one_file_or_two_megabytes() {
    let rows = |count: usize| (0..count).fold("id\n".to_owned(), |file, n| file + &format!("{n}\n"));
    let archive = zipped(&[("a.csv", rows(100).as_bytes()), ("b.csv", rows(5).as_bytes())]);
    let sizes: Vec<(String, usize)> =
        parts(&archive, Format::Zip).unwrap().into_iter().map(|part| (part.file, part.rows.len())).collect();
    let want = [("a.csv", ROWS_OF_PART), ("a.csv", 10), ("b.csv", 5)];
    assert_eq!(sizes, want.map(|(file, rows)| (file.to_owned(), rows)));
    let wide = format!("id\n{0}\n{0}\n{0}\n", "x".repeat(900_000));
    let sizes: Vec<usize> =
        parts(wide.as_bytes(), Format::Csv).unwrap().iter().map(|part| part.rows.len()).collect();
    assert_eq!((sizes, BYTES_OF_PART), (vec![2, 1], 2_000_000));
}

/// The archive with each of these names replaced by one of the same length, in both of its places.
fn renamed(mut archive: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        (0..archive.len()).filter(|at| archive[*at..].starts_with(from.as_bytes())).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        archive[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    archive
}

/// The archive whose files say that they are encrypted.
fn locked(mut archive: Vec<u8>) -> Vec<u8> {
    for (head, flag) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = (0..archive.len()).find(|at| archive[*at..].starts_with(head)).unwrap();
        archive[at + flag] |= 1;
    }
    archive
}

#[test]
fn every_archive_that_plays_tricks_is_refused_by_the_name_of_its_file() {
    let one = |name: &str| zipped(&[("good.csv", b"id\n1\n"), (name, b"id\n2\n")]);
    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("way.csv", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let link = link.finish().unwrap().into_inner();
    let outside = "its name leads out of the archive";
    let table: [(Vec<u8>, &str); 10] = [
        (renamed(one("aa/bad.csv"), "aa/bad.csv", "../bad.csv"), &format!("../bad.csv: {outside}")),
        (renamed(one("aa/bad.csv"), "aa/bad.csv", "/a/bad.csv"), &format!("/a/bad.csv: {outside}")),
        (renamed(one("aa/bad.csv"), "aa/bad.csv", "..\\bad.csv"), &format!("..\\bad.csv: {outside}")),
        (link, "way.csv: it is a link, and no file"),
        (locked(one("bad.csv")), "good.csv: it is encrypted: pack it without a password"),
        (one("more.zip"), "more.zip: it is an archive within the archive"),
        (one("more.tar.gz"), "more.tar.gz: it is an archive within the archive"),
        (
            one("mugs.exe"),
            "mugs.exe: it is of no type that is read: want csv, tsv, txt, json, jsonl, ndjson or xlsx",
        ),
        (
            zipped(&[("a.csv", &zipped(&[("b.csv", b"id\n")]))]),
            "a.csv, line 1, byte 1: it is an archive or a workbook and no text: say so as its format",
        ),
        (b"PK\x03\x04nonsense".to_vec(), "f: it is no zip archive, or a damaged one"),
    ];
    for (archive, told) in table {
        assert_eq!(parts(&archive, Format::Zip).unwrap_err(), told);
    }
    let good =
        zipped(&[("__MACOSX/._good.csv", b"\x00"), ("good.csv", b"id\n1\n"), ("x/.DS_Store", b"\x00")]);
    assert_eq!(parts(&good, Format::Zip).unwrap().len(), 1, "what systems put beside files is no matter");
    let many: Vec<String> = (0..1_001).map(|n| format!("{n}.csv")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"id\n1\n".as_slice())).collect();
    assert_eq!(parts(&zipped(&many), Format::Zip).unwrap_err(), "f: it has 1001 files: want at most 1000");
}

#[test]
fn what_unpacks_to_too_much_is_refused_while_it_does() {
    let bomb = |row: &str| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file("bomb.csv", options).unwrap();
        archive.write_all(b"id\n").unwrap();
        let block = row.repeat(1_000_000 / row.len());
        for _ in 0..40 {
            archive.write_all(block.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    let archive = bomb(&format!("{}\n", "x".repeat(499_999)));
    let told = parts(&archive, Format::Zip).unwrap_err();
    assert!(
        told.starts_with("bomb.csv, byte ") && told.contains("it unpacks to more than 200 times its "),
        "{told}"
    );
    // Its header may say what it likes.
    let mut lying = archive.clone();
    let central = (0..lying.len()).rev().find(|at| lying[*at..].starts_with(b"PK\x01\x02")).unwrap();
    lying[central + 24..central + 28].copy_from_slice(&10_u32.to_le_bytes());
    let told = parts(&lying, Format::Zip).unwrap_err();
    assert!(told.starts_with("bomb.csv"), "{told}");
}

#[test]
fn a_text_in_another_encoding_is_told_with_line_and_byte() {
    let save = "save it as UTF-8 and send it again";
    let utf16 = |text: &str, mark: bool| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        let mark = if mark { vec![0xff, 0xfe] } else { Vec::new() };
        mark.into_iter().chain(units).collect::<Vec<u8>>()
    };
    let mut half = utf16("id\n1\n", true);
    half.extend([0x00, 0xd8]);
    let mut odd = utf16("id\n1\n", true);
    odd.push(b'x');
    let broken = "there is half a character of UTF-16, or a NUL";
    let table: [(Vec<u8>, String); 6] = [
        (
            b"id,name\n1,a\n2,M\xfcller\n".to_vec(),
            format!("f, line 3, byte 16: there is a byte that is no UTF-8: {save}"),
        ),
        (b"id\n1\n\xe2\x82".to_vec(), format!("f, line 3, byte 6: there is a byte that is no UTF-8: {save}")),
        (utf16("id\n1\n", false), format!("f, line 1, byte 2: there is a NUL: {save}")),
        (half, format!("f, line 3, byte 13: {broken}: {save}")),
        (odd, format!("f, line 3, byte 13: {broken}: {save}")),
        (b"\xd0\xcf\x11\xe0rest of it".to_vec(), {
            "f, line 1, byte 1: it is a workbook of an old kind: save it as XLSX or CSV".to_owned()
        }),
    ];
    for (file, told) in table {
        assert_eq!(parts(&file, Format::Csv).unwrap_err(), told);
    }
    // A character that lies across two readings is whole.
    let long = format!("id,name\n1,{}ä\n", "x".repeat(65_536 - 11));
    assert_eq!(lines(long.as_bytes(), Format::Csv).len(), 1);
    let mut pair = vec![0xfe, 0xff];
    let text = format!("id,name\n1,{}\u{1f600}\n", "x".repeat(32_768 - 12));
    pair.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    let rows = lines(&pair, Format::Csv);
    assert_eq!(rows.len(), 1);
    let row = &rows[0].1;
    assert!(row["name"].as_str().unwrap().ends_with("x\u{1f600}"));
}

#[test]
fn a_file_that_is_wrong_as_a_whole_says_where() {
    let wide = (0..10_001).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let huge = "x".repeat(1_000_001);
    let table: [(Format, String, String); 17] = [
        (Format::Csv, String::new(), "f: it has no rows".into()),
        (Format::Csv, "id,name\n".into(), "f: it has no rows".into()),
        (Format::Csv, "id,id\n1,2\n".into(), "f, line 1: there are two columns `id`".into()),
        (Format::Csv, ",,\n1,2,3\n".into(), "f, line 1: no column has a name".into()),
        (
            Format::Csv,
            "id,x\n1,\"a\n2,b\n".into(),
            "f, line 2: a quote opens here and is never closed".into(),
        ),
        (Format::Csv, format!("{wide}\n1\n"), "f, line 1: it has 10001 columns: want at most 10000".into()),
        (
            Format::Csv,
            format!("id\n1\n{huge}\n"),
            "f, line 3: a row begins here that has more than 1000000 bytes".into(),
        ),
        (Format::Json, "{\"id\": 1}".into(), {
            "f, line 1: it begins with an object: want one array of objects, or send it as `jsonl`".into()
        }),
        (Format::Json, "\n7".into(), "f, line 2: it begins with no array".into()),
        (Format::Json, "[{\"id\": 1}\n".into(), "f, line 2: it ends before its array does".into()),
        (
            Format::Json,
            "[{\"id\": 1},\n{\"id\"".into(),
            "f, line 2: it ends in the middle of a row that begins here".into(),
        ),
        (
            Format::Json,
            "[{\"id\": 1}\n{\"id\": 2}]".into(),
            "f, line 2: want a comma between two rows".into(),
        ),
        (Format::Json, "[,{\"id\": 1}]".into(), "f, line 1: there is a comma before the first row".into()),
        (Format::Json, "[{\"id\": 1},,{}]".into(), "f, line 1: a row is missing between two commas".into()),
        (Format::Json, "[{\"id\": 1}] more".into(), "f, line 1: something stands behind the array".into()),
        (Format::Json, "[]".into(), "f: it has no rows".into()),
        (Format::Xlsx, "no workbook".into(), {
            "f: it is no workbook, or a damaged one: open it and save it as XLSX, or as CSV in UTF-8".into()
        }),
    ];
    for (format, file, told) in table {
        assert_eq!(parts(file.as_bytes(), format).unwrap_err(), told, "{file:.40}");
    }
}

#[test]
fn a_workbook_with_a_cell_far_to_the_right_is_refused_before_its_columns_are_held() {
    for (at, columns) in [("NTQ1", 10_001), ("XFD1", 16_384), ("ZZZZZZ1", 321_272_406)] {
        let cells = format!("<row r=\"1\"><c r=\"{at}\" t=\"inlineStr\"><is><t>id</t></is></c></row>");
        let told = format!("f, line 1: it has {columns} columns: want at most 10000");
        assert_eq!(parts(&workbook_of(&cells), Format::Xlsx).unwrap_err(), told, "{at}");
    }
}

/// A file as large as it gets is read with little in memory: what is held is one part.
#[test]
fn of_a_large_file_one_part_is_held() {
    let mut place = tempfile::tempfile().unwrap();
    place.write_all(b"id,name\n").unwrap();
    let block = "7,something that is said of it\n".repeat(10_000);
    for _ in 0..20 {
        place.write_all(block.as_bytes()).unwrap();
    }
    let length = place.seek(SeekFrom::End(0)).unwrap();
    let (mut rows, mut most) = (0, 0);
    let done = cut(place, "f", Format::Csv, &mut |part: Part| {
        rows += part.rows.len();
        most = most.max(part.rows.len());
        true
    });
    assert!(done.is_ok());
    assert_eq!((rows, most, length), (200_000, ROWS_OF_PART, 6_200_008));
    // Whoever takes no more of it is not sent the rest.
    let mut file = Vec::new();
    block.as_bytes().read_to_end(&mut file).unwrap();
    let mut place = tempfile::tempfile().unwrap();
    place.write_all(&[b"id,name\n", file.as_slice()].concat()).unwrap();
    let mut taken = 0;
    let done = cut(place, "f", Format::Csv, &mut |_| {
        taken += 1;
        taken < 3
    });
    assert!(matches!(done, Err(Stop::Unheard)) && taken == 3);
}
