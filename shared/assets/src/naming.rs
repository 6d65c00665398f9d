//! Whose picture a file is, by its name: `SKU_01.jpg`, `SKU-2.png`, `SKU.front.webp`, `SKU.jpg`.
//!
//! The place is a number or a view at the end, behind `_`, `-`, `.` or a space. What is left is the SKU as it stands.
//! A SKU may itself end so (`TEE-12`): the caller looks the whole name up first, then what [`named`] made of it.

/// The views that a place can be called by, in the order in which they are shown.
const VIEWS: [(&str, u16); 9] = [
    ("main", 1),
    ("front", 1),
    ("back", 2),
    ("left", 3),
    ("right", 4),
    ("top", 5),
    ("bottom", 6),
    ("side", 7),
    ("detail", 8),
];
const PLACE_MAX: u16 = 99;
const NAME_MAX: usize = 255;

/// A file's name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The name without its type: a SKU that ends in a number is this.
    pub whole: &'a str,
    pub sku: &'a str,
    /// Its place among the SKU's pictures, 1 to 99; none where the name does not say.
    pub place: Option<u16>,
}

/// What a name says; none where it cannot be a SKU's.
pub fn named(name: &str) -> Option<Named<'_>> {
    if name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return None;
    }
    // Folders of an archive say nothing, whichever way they lean.
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (whole, extension) = file.rsplit_once('.')?;
    let type_like =
        (1..=4).contains(&extension.len()) && extension.chars().all(|c| c.is_ascii_alphanumeric());
    let whole = whole.trim();
    if !type_like || whole.is_empty() || whole.starts_with('.') {
        return None;
    }
    let split = whole.rfind(['_', '-', '.', ' ']).and_then(|at| whole.split_at_checked(at));
    let split = split.and_then(|(sku, rest)| Some((sku, place(rest.get(1..)?)?)));
    Some(match split {
        Some((sku, place)) if !sku.trim().is_empty() => Named { whole, sku: sku.trim(), place: Some(place) },
        _ => Named { whole, sku: whole, place: None },
    })
}

fn place(text: &str) -> Option<u16> {
    if !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|place| (1..=PLACE_MAX).contains(place));
    }
    VIEWS.iter().find(|(view, _)| text.eq_ignore_ascii_case(view)).map(|(_, place)| *place)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_name_says_whose_picture_it_is_and_where_it_stands() {
        let rows = [
            ("TEE_01.jpg", Some(("TEE", Some(1)))),
            ("TEE-2.png", Some(("TEE", Some(2)))),
            ("TEE.front.webp", Some(("TEE", Some(1)))),
            ("TEE BACK.JPG", Some(("TEE", Some(2)))),
            ("TEE.jpg", Some(("TEE", None))),
            ("TEE-RED-XL_003.jpeg", Some(("TEE-RED-XL", Some(3)))),
            ("TEE-RED.jpg", Some(("TEE-RED", None))),
            ("TEE_99.jpg", Some(("TEE", Some(99)))),
            ("TEE_100.jpg", Some(("TEE_100", None))),
            ("TEE_0.jpg", Some(("TEE_0", None))),
            ("TEE_0001.jpg", Some(("TEE_0001", None))),
            ("TEE_-1.jpg", Some(("TEE_", Some(1)))),
            ("_01.jpg", Some(("_01", None))),
            ("4006381333931_02.jpg", Some(("4006381333931", Some(2)))),
            ("photos/2026/TEE_detail.png", Some(("TEE", Some(8)))),
            ("..\\..\\TEE_01.jpg", Some(("TEE", Some(1)))),
            ("Tasse-größe_4.png", Some(("Tasse-größe", Some(4)))),
            (" TEE _1.glb", Some(("TEE", Some(1)))),
            ("TEE", None),
            ("TEE.", None),
            (".jpg", None),
            (".hidden.jpg", None),
            ("", None),
            ("TEE\n_01.jpg", None),
            ("TEE.backup-of-today", None),
        ];
        for (name, expected) in rows {
            let found = named(name).map(|found| (found.sku, found.place));
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    fn a_sku_that_ends_in_a_number_is_the_whole_name() {
        let found = named("TEE-12.jpg").map(|found| (found.whole, found.sku, found.place));
        assert_eq!(found, Some(("TEE-12", "TEE", Some(12))));
    }

    #[test]
    fn a_name_longer_than_any_file_system_takes_is_nobodys() {
        assert_eq!(named(&format!("{}.jpg", "a".repeat(252))), None);
        assert!(named(&format!("{}.jpg", "a".repeat(251))).is_some());
    }
}
