//! How countries write addresses, as a table of facts, and the patterns of their postal codes.
//!
//! Source: the address data that Google publishes for libaddressinput (chromium-i18n), which builds on the rules of
//! the Universal Postal Union; where that asks for a city or postal code that a country can do without (Bulgaria,
//! Croatia, Cyprus, Ireland, Malta, Slovenia, the Emirates), so does this. Regions stand here where tax or carriers
//! want their code. British and Irish codes are checked by their shape, not against the list of post towns.
//!
//! A pattern is `#` a digit, `?` a letter, `*` either; blank and hyphen stand in the written form and are no
//! characters of the code; anything else stands for itself. `|` parts forms.

use crate::place::{Country, bare};

/// Countries, what they want beside name and line (`C` city, `S` region, `P` postal code), and the forms of their
/// postal codes; no form where there are none.
const FORMATS: &[(&str, &str, &str)] = &[
    ("AE", "S", ""),
    ("AT BE CH DK HU LU NO NZ", "CP", "####"),
    ("AU", "CSP", "####"),
    ("BG CY SI", "", "####"),
    ("BR", "CSP", "#####-###"),
    ("CA", "CSP", "?#? #?#"),
    ("CN IN", "CSP", "######"),
    ("CZ GR SE SK", "CP", "### ##"),
    ("DE EE FI FR LT", "CP", "#####"),
    ("ES IT KR MX", "CSP", "#####"),
    ("GB", "CP", "?# #??|?## #??|??# #??|??## #??|?#? #??|??#? #??|BFPO #|BFPO ##|BFPO ###|BFPO ####"),
    ("HR", "", "#####"),
    ("IE", "", "?** ****"),
    ("JP", "SP", "###-####"),
    ("LV", "CP", "LV-####"),
    ("MT", "", "??? ####|??? ##|??? ###"),
    ("NL", "CP", "#### ??"),
    ("PL", "CP", "##-###"),
    ("PT", "CP", "####-###"),
    ("RO", "CP", "######"),
    ("SG", "P", "######"),
    ("US", "CSP", "#####|#####-####"),
];

/// Code and name of each region.
const REGIONS: &[(&str, &str)] = &[
    (
        "US",
        "\
        AL Alabama|AK Alaska|AS American Samoa|AZ Arizona|AR Arkansas|AA Armed Forces (AA)|\
        AE Armed Forces (AE)|AP Armed Forces (AP)|CA California|CO Colorado|CT Connecticut|DE Delaware|\
        DC District of Columbia|FL Florida|GA Georgia|GU Guam|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|\
        IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MH Marshall Islands|MD Maryland|\
        MA Massachusetts|MI Michigan|FM Micronesia|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|\
        NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|\
        ND North Dakota|MP Northern Mariana Islands|OH Ohio|OK Oklahoma|OR Oregon|PW Palau|PA Pennsylvania|\
        PR Puerto Rico|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|\
        VT Vermont|VI Virgin Islands|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming",
    ),
    (
        "CA",
        "\
        AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|\
        NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|\
        SK Saskatchewan|YT Yukon",
    ),
    (
        "AU",
        "\
        ACT Australian Capital Territory|JBT Jervis Bay Territory|NSW New South Wales|NT Northern Territory|\
        QLD Queensland|SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia",
    ),
    (
        "BR",
        "\
        AC Acre|AL Alagoas|AP Amapá|AM Amazonas|BA Bahia|CE Ceará|DF Distrito Federal|ES Espírito Santo|\
        GO Goiás|MA Maranhão|MT Mato Grosso|MS Mato Grosso do Sul|MG Minas Gerais|PA Pará|PB Paraíba|\
        PR Paraná|PE Pernambuco|PI Piauí|RJ Rio de Janeiro|RN Rio Grande do Norte|RS Rio Grande do Sul|\
        RO Rondônia|RR Roraima|SC Santa Catarina|SP São Paulo|SE Sergipe|TO Tocantins",
    ),
];

/// How a country writes addresses.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    pub city: bool,
    pub region: bool,
    pub postal: bool,
    /// Patterns parted by `|`; empty where the country has no postal codes.
    pub postal_forms: &'static str,
    regions: &'static str,
}

/// The format of a country, if the table knows it.
pub fn of(country: Country) -> Option<Format> {
    let (_, needs, postal_forms) =
        FORMATS.iter().find(|(codes, ..)| codes.split(' ').any(|code| code == country.code()))?;
    let regions = REGIONS.iter().find(|(code, _)| *code == country.code()).map_or("", |(_, regions)| regions);
    let needs = |letter| needs.contains(letter);
    Some(Format { city: needs('C'), region: needs('S'), postal: needs('P'), postal_forms, regions })
}

impl Format {
    /// The written form of a postal code. The country before it, as in `D-10115`, is dropped or put where it belongs.
    pub fn postal(&self, country: Country, text: &str) -> Option<String> {
        let (code, text) = (country.code(), bare(text));
        let dropped = [code, &code[..1]].into_iter().filter_map(|lead| text.strip_prefix(lead));
        let candidates = std::iter::once(text.clone())
            .chain(dropped.map(str::to_owned))
            .chain(std::iter::once(format!("{code}{text}")));
        candidates.into_iter().find_map(|text| {
            self.postal_forms.split('|').filter(|form| !form.is_empty()).find_map(|form| written(form, &text))
        })
    }

    /// The code of a region that is given by code or name; any region where the table has no list.
    pub fn region(&self, text: &str) -> Option<String> {
        if self.regions.is_empty() {
            return Some(text.to_owned());
        }
        let given = plain(text);
        let regions = self.regions.split('|').filter_map(|region| region.split_once(' '));
        let mut found = regions.filter(|(code, name)| plain(code) == given || plain(name) == given);
        found.next().map(|(code, _)| code.to_owned())
    }
}

/// `text` in the form, if it has it.
pub fn written(form: &str, text: &str) -> Option<String> {
    let mut given = text.chars();
    let mut out = String::with_capacity(form.len());
    for want in form.chars() {
        if matches!(want, ' ' | '-') {
            out.push(want);
            continue;
        }
        let c = given.next()?;
        let fits = match want {
            '#' => c.is_ascii_digit(),
            '?' => c.is_ascii_uppercase(),
            '*' => c.is_ascii_digit() || c.is_ascii_uppercase(),
            itself => c == itself,
        };
        if !fits {
            return None;
        }
        out.push(c);
    }
    given.next().is_none().then_some(out)
}

/// A name without case, accents of Portuguese, and what stands between its letters.
fn plain(text: &str) -> String {
    let base = |c: char| match c {
        'Á' | 'Â' | 'Ã' => 'A',
        'É' | 'Ê' => 'E',
        'Í' => 'I',
        'Ó' | 'Ô' | 'Õ' => 'O',
        'Ú' => 'U',
        'Ç' => 'C',
        _ => c,
    };
    bare(text).chars().map(base).collect()
}
