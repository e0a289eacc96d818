//! Which addresses a webhook may lie at: those of the public internet only, so that nobody reaches by it what is behind the
//! operator's own walls.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet: global unicast, and no special purpose of IANA's registries.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private ones, this host; everything from multicast on.
        [0 | 10 | 127 | 224..=255, ..] | [172, 16..=31, ..] | [192, 168, ..]
            // Shared by carriers; of this link.
            | [100, 64..=127, ..] | [169, 254, ..]
            // Protocol assignments, documentation, the relays of 6to4, benchmarks.
            | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // What a translator makes of an IPv4 address is as public as that one.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocol assignments, Teredo among them; documentation; 6to4, which holds an IPv4 address.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast. Loopback, mapped, unique-local, link-local and multicast addresses lie elsewhere.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_of_a_special_purpose_is_not_public() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:10::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(!is_public(address(special)), "{special}");
        }
    }

    #[test]
    fn an_address_of_the_internet_is_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(address(public)), "{public}");
        }
    }

    proptest! {
        /// The standard library knows some of the special purposes: none of them counts as public.
        #[test]
        fn no_address_that_the_standard_library_calls_special_is_public(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_multicast() || v4.is_unspecified();
            prop_assert!(!(special && is_public(v4.into())), "{v4}");
            prop_assert!(!is_public(v4.to_ipv6_mapped().into()), "mapped {v4}");
            prop_assert!(!is_public(v4.to_ipv6_compatible().into()), "compatible {v4}");
            let translated = Ipv6Addr::from(0x64_ff9b_u128 << 96 | u128::from(bits));
            prop_assert_eq!(is_public(translated.into()), is_public(v4.into()));
        }

        #[test]
        fn no_private_network_is_public_wherever_in_it(low: u32, network in 0..5_usize) {
            let (base, bits) = [(0x0a00_0000, 24), (0xac10_0000, 20), (0xc0a8_0000, 16), (0x6440_0000, 22),
                (0xa9fe_0000, 16)][network];
            let address = Ipv4Addr::from(base | (low & ((1_u32 << bits) - 1)));
            prop_assert!(!is_public(address.into()), "{address}");
        }

        #[test]
        fn only_global_unicast_is_public_in_ipv6(bits: u128) {
            let v6 = Ipv6Addr::from(bits);
            let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || v6.is_unique_local()
                || v6.is_unicast_link_local() || v6.to_ipv4_mapped().is_some();
            prop_assert!(!(special && is_public(v6.into())), "{v6}");
            if is_public(v6.into()) && v6.segments()[0] != 0x64 {
                prop_assert_eq!(v6.segments()[0] >> 13, 1, "{}", v6);
            }
        }
    }
}
