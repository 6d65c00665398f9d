use super::package::Package;
use super::{Broken, COLUMNS_MAX, Cells, Part, Stop, cut};
use domain::import::Format;
use domain::pim::data::Data;
use domain::pim::exchange::Row;
use std::fs::File;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The rows of a file called `f`, or why there are none.
fn rows(file: File, format: Format) -> Result<Vec<Cells>, String> {
    let mut rows = Vec::new();
    let done = cut(file, "f", format, &mut |part: Part| {
        rows.extend(part.rows.into_iter().map(|line| line.cells));
        true
    });
    match done {
        Ok(()) => Ok(rows),
        Err(Stop::Unreadable(why)) => Err(why.to_string()),
        Err(other) => panic!("{other:?}"),
    }
}

fn rows_of(text: &str, format: Format) -> Result<Vec<Cells>, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    rows(file, format)
}

fn broken(wrong: &str, todo: &str) -> Cells {
    Cells::Broken(Broken { column: None, wrong: wrong.to_owned(), todo: todo.to_owned() })
}

#[test]
fn columns_that_objects_make_are_counted_before_they_are_made() {
    let long = "n".repeat(500_000);
    let many =
        |count: usize, one: &str| (0..count).map(|n| format!("\"a{n}\":{one}")).collect::<Vec<_>>().join(",");
    let told = |name: &str| {
        let wrong = format!("the objects in `{name:.80}` make columns of more than 4000000 bytes");
        broken(&wrong, "shorten the names, or leave out what is not needed")
    };
    let named = format!("{{\"{long}\":{{{}}}}}", many(40_000, "1"));
    let listed = format!("{{\"{long}\":[{{{}}}]}}", many(40_000, "1"));
    let deep = format!("{{\"x\":{}\"{long}\"{}}}", "{\"y\":".repeat(12), "}".repeat(12));
    let values = format!("{{\"x\":{}[{}1]{}}}", "{\"y\":".repeat(12), "1,".repeat(100_000), "}".repeat(12));
    let file = [named, listed, deep, values].join("\n");
    assert_eq!(rows_of(&file, Format::Jsonl).unwrap(), [told(&long), told(&long), told("x"), told("x")]);

    let wide = |columns: usize| {
        let wrong = format!(
            "it makes {columns} columns, with what is within its objects: want at most {COLUMNS_MAX}"
        );
        broken(&wrong, "leave out what is not needed")
    };
    let file = format!("{{{}}}\n{{\"x\":{{{}}}}}", many(10_001, "1"), many(10_000, "1"));
    assert_eq!(rows_of(&file, Format::Jsonl).unwrap(), [wide(10_001), wide(10_001)]);

    let most = Row::from([("x".to_owned(), Data::Text(long.clone())), ("y".to_owned(), Data::Null)]);
    let file = format!("[{{\"x\":\"{long}\",\"y\":null}}]");
    assert_eq!(rows_of(&file, Format::Json).unwrap(), [Cells::Row(most)]);
}

#[test]
fn a_row_of_many_small_values_is_a_part_of_its_own() {
    let row = format!("{{\"x\":[{}1]}}\n", "1,".repeat(250_000));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(row.repeat(3).as_bytes()).unwrap();
    let mut parts = Vec::new();
    let done = cut(file, "f", Format::Jsonl, &mut |part| {
        parts.push(part.rows.len());
        true
    });
    assert!(done.is_ok());
    assert_eq!(parts, [1, 1, 1]);
}

/// What packs well and yet not too well: a megabyte of it at a time.
fn fill(file: &mut impl Write, megabytes: usize) {
    let mut seed = 1_u64;
    let mut letter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + u8::try_from((seed >> 60) & 15).unwrap()
    };
    let mut block = Vec::new();
    for _ in 0..1_000 {
        block.extend((0..20).map(|_| letter()));
        block.extend([b'x'; 980]);
    }
    for _ in 0..megabytes {
        file.write_all(&block).unwrap();
    }
}

/// A workbook that lies in this folder, of one sheet: parts beside it by their names, each filled up in its middle.
fn workbook(folder: &str, sheet: (&str, usize, &str), beside: &[(&str, (&str, usize, &str))]) -> File {
    let mut archive = ZipWriter::new(tempfile::tempfile().unwrap());
    let relations = |kind: &str, target: &str| {
        let to = format!("Id=\"r1\" Type=\"/relationships/{kind}\" Target=\"{target}\"");
        format!("<Relationships><Relationship {to}/></Relationships>")
    };
    let package = relations("officeDocument", &format!("{folder}/book.xml"));
    let book = relations("worksheet", "/xl/worksheets/sheet1.xml");
    let names = "<workbook><sheets><sheet name=\"Mugs\" r:id=\"r1\"/></sheets></workbook>";
    let (book_at, relations_at) = (format!("{folder}/book.xml"), format!("{folder}/_rels/book.xml.rels"));
    let parts = [
        ("_rels/.rels", (package.as_str(), 0, "")),
        (&book_at, (names, 0, "")),
        (&relations_at, (&book, 0, "")),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    for (name, (before, megabytes, behind)) in parts.iter().chain(beside) {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(before.as_bytes()).unwrap();
        fill(&mut archive, *megabytes);
        archive.write_all(behind.as_bytes()).unwrap();
    }
    archive.finish().unwrap()
}

const HEAD: &str =
    "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"str\"><v>id</v></c></row><row r=\"2\">";
const TAIL: &str = "</row></sheetData></worksheet>";

#[test]
fn of_a_workbook_no_more_is_read_at_a_time_than_may_be_held() {
    let long = "f, line 1: a cell from here on, with what is before it, has more than 64000000 bytes";
    let sheets = [
        ("<c r=\"A2\" t=\"inlineStr\"><is><t>", "</t></is></c>"),
        ("<c r=\"A2\" t=\"str\"><v>", "</v></c>"),
        ("<c r=\"A2\" x=\"", "\"><v>1</v></c>"),
        ("<!--", "--><c r=\"A2\"><v>1</v></c>"),
    ];
    for (before, behind) in sheets {
        let (head, tail) = (format!("{HEAD}{before}"), format!("{behind}{TAIL}"));
        let file = workbook("xl", (&head, 65, &tail), &[]);
        assert_eq!(rows(file, Format::Xlsx).unwrap_err(), long, "{before}");
    }
    let file = workbook("xl", ("<worksheet a=\"", 65, "\"><sheetData></sheetData></worksheet>"), &[]);
    let told = "f: a cell from here on, with what is before it, has more than 64000000 bytes";
    assert_eq!(rows(file, Format::Xlsx).unwrap_err(), told);

    let one = format!("{HEAD}<c r=\"A2\" t=\"s\"><v>0</v></c>{TAIL}");
    let texts = |megabytes| ("<sst><si><t>", megabytes, "</t></si></sst>");
    for (folder, name) in [
        ("xl", "xl/sharedStrings.xml"),
        ("xl", "xl/sharedStrings.XML"),
        ("xl", "XL\\sharedStrings.xml"),
        ("xl/worksheets", "xl/worksheets/sharedStrings.xml"),
    ] {
        let file = workbook(folder, (&one, 0, ""), &[(name, texts(21))]);
        let told = "f: its texts are more than 20000000 bytes: send it as CSV";
        assert_eq!(rows(file, Format::Xlsx).unwrap_err(), told, "{name}");
        let file = workbook(folder, (&one, 0, ""), &[(name, texts(2))]);
        let told = "f, line 2: a row begins here that has more than 1000000 bytes, or more than 10000 cells";
        assert_eq!(rows(file, Format::Xlsx).unwrap_err(), told, "{name}");
    }

    // What is not read of it may be large: other sheets, and pictures.
    let beside = [("xl/worksheets/sheet2.xml", ("", 30, "")), ("xl/media/image1.png", ("", 30, ""))];
    let file = workbook(
        "xl",
        (&one, 0, ""),
        &[beside.as_slice(), &[("xl/sharedStrings.xml", ("<sst><si><t>7", 0, "</t></si></sst>"))]].concat(),
    );
    let row = Row::from([("id".to_owned(), Data::Text("7".to_owned()))]);
    assert_eq!(rows(file, Format::Xlsx).unwrap(), [Cells::Row(row)]);
}

#[test]
fn what_a_workbook_opens_with_is_looked_at_before_it_is_opened() {
    let one = format!("{HEAD}<c r=\"A2\" t=\"s\"><v>0</v></c>{TAIL}");
    let texts = |said: &str| format!("<sst uniqueCount=\"{said}\"><si><t>7</t></si></sst>");
    let refused = |folder: &str, name: &str, part: &str| {
        let file = workbook(folder, (&one, 0, ""), &[(name, (part, 0, ""))]);
        rows(file, Format::Xlsx).unwrap_err()
    };
    let part = texts("99999999999");
    let told = "f: it says that it has 99999999999 texts, in 54 bytes: save it anew";
    assert_eq!(refused("xl", "xl/sharedStrings.xml", &part), told);
    assert_eq!(refused("xl/worksheets", "xl/worksheets/SharedStrings.xml", &part), told);
    let wide: String = part.chars().flat_map(|c| [c, '\0']).collect();
    let told = "f: its `xl/sharedstrings.xml` has control characters: save it anew";
    assert_eq!(refused("xl", "xl/sharedStrings.xml", &wide), told);
    let file = workbook("xl", (&one, 0, ""), &[("xl/sharedStrings.xml", (&texts("1"), 0, ""))]);
    assert_eq!(rows(file, Format::Xlsx).unwrap().len(), 1);

    // A font's name of a hundred thousand bytes, and two thousand styles that each hold it.
    let (xfs, name) = ("<xf fontId=\"0\"/>".repeat(2_000), "<".repeat(100_000));
    let tricks = ["", "<!-- \" -->", "<?x \"?>", "<a></a \">"];
    for trick in tricks {
        let fonts = format!("<fonts><font><name val=\"{name}\"/></font></fonts>");
        let part = format!("<styleSheet>{trick}{fonts}<cellXfs>{xfs}</cellXfs></styleSheet>");
        let told = refused("xl", "xl/styles.xml", &part);
        assert!(
            told.starts_with("f: its styles and sheets are ") && told.ends_with(": send it as CSV"),
            "{told}"
        );
    }
    let part = format!("<styleSheet><fonts><font/></fonts><cellXfs>{xfs}</cellXfs></styleSheet>");
    let told =
        "f, line 1: it is no workbook, or a damaged one: open it and save it as XLSX, or as CSV in UTF-8";
    assert_eq!(refused("xl", "xl/styles.xml", &part), told, "its cell has a text that is not there");
    let part = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", xfs.repeat(150));
    let told = "f: its styles and sheets are 300001, of up to 512 bytes: send it as CSV";
    assert_eq!(refused("xl", "xl/styles.xml", &part), told);
}

#[test]
fn a_workbook_is_where_its_package_says_and_nowhere_else() {
    let relations = |it: &str| {
        let uri = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let other = format!("<Relationship Type=\"{uri}/extended-properties\" Target=\"docProps/app.xml\"/>");
        let it = it.replace("URI", uri);
        format!(
            "<?xml version=\"1.0\"?>\r\n<Relationships>{other}<Relationship {it}/>{other}</Relationships>"
        )
    };
    let table = [
        ("Id=\"rId1\" Type=\"URI/officeDocument\" Target=\"xl/workbook.xml\"", "xl/_rels/workbook.xml.rels"),
        ("Target='/xl/workbook2.xml' TargetMode='Internal' Type='URI/officeDocument'", "xl/workbook2.xml"),
        ("Target=\"/XL/Book.bin\" Type=\"URI/officeDocument\"", "xl/book.bin"),
        ("Target=\"book.xml\" Type=\"URI/officeDocument\"", "_rels/book.xml.rels"),
        ("Target=\"a/b/book.xml\" Type=\"URI/officeDocument\"", "a/b/styles.xml"),
    ];
    for (it, part) in table {
        let package = Package::of(&relations(it)).unwrap();
        assert!(package.opens_with(part) && !package.opens_with("docprops/app.xml"), "{it}");
        assert!(Package::of(&package.relations()).unwrap().opens_with(part), "{it}");
    }
    for it in ["x&#47;book.xml", "xl\\book.xml"] {
        let it = format!("Type=\"URI/officeDocument\" Target=\"{it}\"");
        assert!(Package::of(&relations(&it)).is_none(), "{it}");
    }
}

#[test]
fn the_files_of_an_archive_are_counted_before_their_list_is_read() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..1_001 {
        archive.start_file(format!("{n}.csv"), SimpleFileOptions::default()).unwrap();
    }
    let mut archive = archive.finish().unwrap().into_inner();
    let last = archive.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    archive[last] = b'x';
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&archive).unwrap();
    assert_eq!(rows(file, Format::Zip).unwrap_err(), "f: it has 1001 files: want at most 1000");
}
