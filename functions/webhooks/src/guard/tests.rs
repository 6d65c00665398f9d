//! Every net that is not public, by name; every spelling of an address that hides one.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn every_net_that_is_not_public_is_refused_by_its_name() {
    for (name, first, last) in [
        ("this network", "0.0.0.0", "0.255.255.255"),
        ("private", "10.0.0.0", "10.255.255.255"),
        ("shared by carriers", "100.64.0.0", "100.127.255.255"),
        ("loopback", "127.0.0.0", "127.255.255.255"),
        ("link-local", "169.254.0.0", "169.254.255.255"),
        ("metadata of clouds", "169.254.169.254", "169.254.170.2"),
        ("private", "172.16.0.0", "172.31.255.255"),
        ("protocols", "192.0.0.0", "192.0.0.255"),
        ("documentation", "192.0.2.0", "192.0.2.255"),
        ("6to4 relays", "192.88.99.0", "192.88.99.255"),
        ("private", "192.168.0.0", "192.168.255.255"),
        ("benchmarks", "198.18.0.0", "198.19.255.255"),
        ("documentation", "198.51.100.0", "198.51.100.255"),
        ("documentation", "203.0.113.0", "203.0.113.255"),
        ("multicast", "224.0.0.0", "239.255.255.255"),
        ("reserved", "240.0.0.0", "255.255.255.254"),
        ("broadcast", "255.255.255.255", "255.255.255.255"),
        ("unspecified", "::", "::"),
        ("loopback", "::1", "::1"),
        ("IPv4 within IPv6", "::127.0.0.1", "::10.0.0.1"),
        ("IPv4-mapped", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
        ("IPv4-mapped, of a public one too", "::ffff:8.8.8.8", "::ffff:1.1.1.1"),
        ("translated", "64:ff9b::a00:1", "64:ff9b::7f00:1"),
        ("translated at home", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        ("discarded", "100::", "100::ffff:ffff:ffff:ffff"),
        ("Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("protocols", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("6to4", "2002::", "2002:7f00:1::1"),
        ("documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("metadata of clouds", "fd00:ec2::254", "fd20:ce::254"),
        ("link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] {
        for text in [first, last] {
            assert!(!is_public(ip(text)), "{name}: {text}");
            let here = Net::Local.allows(ip(text));
            assert_eq!(here, name == "loopback", "{name}: {text} in the local cloud");
        }
    }
}

#[test]
fn neighbors_of_those_nets_are_public() {
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:db7::1",
        "2003::",
        "2606:4700::1111",
        "3ffe::",
        "3fff:1000::",
    ] {
        assert!(is_public(ip(text)), "{text}");
    }
}

#[test]
fn an_address_is_https_without_user_to_a_public_host() {
    use NotAReceiver::{Adorned, NotHttps, NotPublic, Port, Unreadable};
    let long = format!("https://a.example/{}", "x".repeat(2_000));
    for (text, why) in [
        ("", Unreadable),
        ("hooks", Unreadable),
        ("https://", Unreadable),
        (long.as_str(), Unreadable),
        ("http://a.example/", NotHttps),
        ("ftp://a.example/", NotHttps),
        ("file:///etc/passwd", Unreadable),
        ("gopher://a.example/", NotHttps),
        ("https://me@a.example/", Adorned),
        ("https://me:secret@a.example/", Adorned),
        ("https://:secret@a.example/", Adorned),
        ("https://a.example/#part", Adorned),
        ("https://a.example:22/", Port),
        ("https://a.example:1023/", Port),
        ("https://a.example:0/", Port),
        ("https://localhost/", NotPublic),
        ("https://localhost./", NotPublic),
        ("https://LOCALHOST/", NotPublic),
        ("https://a.localhost/", NotPublic),
        ("https://printer.local/", NotPublic),
        ("https://metadata.google.internal/", NotPublic),
        ("https://intranet/", NotPublic),
        ("https://127.0.0.1/", NotPublic),
        ("https://127.1/", NotPublic),
        ("https://0x7f.0.0.1/", NotPublic),
        ("https://0177.0.0.1/", NotPublic),
        ("https://2130706433/", NotPublic),
        ("https://127.0.0.1./", NotPublic),
        ("https://１２７.0.0.1/", NotPublic),
        ("https://169.254.169.254/latest/meta-data/", NotPublic),
        ("https://[::1]/", NotPublic),
        ("https://[::ffff:10.0.0.1]/", NotPublic),
        ("https://[::ffff:a9fe:a9fe]/", NotPublic),
        ("https://[fd00::1]/", NotPublic),
        ("https://10.0.0.1:8443/", NotPublic),
    ] {
        assert_eq!(Net::Public.read(text), Err(why), "{text}");
    }
    for text in
        ["https://a.example/", "https://a.example:1024/x?y=1", "https://8.8.8.8/", "https://[2606:4700::1]/"]
    {
        assert_eq!(Net::Public.read(text).map(|url| url.to_string()), Ok(text.to_owned()));
    }
}

#[test]
fn the_local_cloud_calls_this_machine_and_nobody_elses() {
    for text in ["http://127.0.0.1:9/", "http://localhost:80/", "http://[::1]:9/", "https://127.0.0.1/"] {
        assert!(Net::Local.read(text).is_ok(), "{text}");
    }
    for text in
        ["http://10.0.0.1:9/", "http://a.example/", "https://169.254.169.254/", "https://192.168.1.1/"]
    {
        assert!(Net::Local.read(text).is_err(), "{text}");
    }
}
