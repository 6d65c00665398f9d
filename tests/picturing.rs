//! Pictures made by hand, so that tests that send some need no painter.

/// Two by two, red; its header says what it is told to say.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [width.to_be_bytes().to_vec(), height.to_be_bytes().to_vec(), vec![8, 2, 0, 0, 0]].concat();
    let pixels: [u8; 14] = [0, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0];
    let mut data = vec![0x78, 0x01, 1, 14, 0, 241, 255];
    data.extend_from_slice(&pixels);
    let sum = pixels.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    data.extend_from_slice(&((sum.1 << 16) | sum.0).to_be_bytes());
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    let author = chunk(b"tEXt", b"Author\0ben");
    let parts = [signature, chunk(b"IHDR", &header), author, chunk(b"IDAT", &data), chunk(b"IEND", &[])];
    parts.concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let crc =
        body.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        });
    let length = u32::try_from(data.len()).expect("a chunk is small").to_be_bytes();
    [length.as_slice(), &body, &(!crc).to_be_bytes()].concat()
}
