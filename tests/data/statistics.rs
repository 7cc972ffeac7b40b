//! Numbers about images, against hand-made and brute-force answers; contact sheets.

use data::{DataError, Images, Shapes10, SheetRow, contact_sheet, rows_by_class, statistics};

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

#[test]
fn two_colours_have_the_line_between_them_as_first_component() {
    // Half the pixels black, half (1, 1, 0): the mean is halfway, the covariance 1/4 in the red-green block.
    let pixels = [[0, 0, 0], [255, 255, 0]].concat().repeat(6);
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let images = Images::from_pixels([2, 2], pixels, vec![0, 2, 2], names).unwrap();
    let found = statistics(&images).unwrap();
    assert_eq!(found.counts, [1, 0, 2]);
    for (channel, expected) in [0.5, 0.5, 0.0].into_iter().enumerate() {
        close(found.mean[channel], expected);
        close(found.std[channel], expected);
        let principal = found.principal.unwrap();
        close(principal.values[channel], [0.5, 0.0, 0.0][channel]);
        close(
            principal.vectors[0][channel],
            [0.5_f64.sqrt(), 0.5_f64.sqrt(), 0.0][channel],
        );
    }
}

#[test]
fn components_diagonalise_the_covariance() {
    let set = Shapes10::default()
        .with_sizes(200, 1, 1)
        .generate()
        .unwrap();
    let found = statistics(&set.train).unwrap();
    let p = found.principal.unwrap();
    let pixels = set.train.read_all().unwrap();
    let n = 200.0 * 1024.0;
    for i in 0..3 {
        for j in 0..3 {
            let value = |pixel: &[u8], c: usize| f64::from(pixel[c]) / 255.0 - found.mean[c];
            let covariance = pixels
                .chunks(3)
                .map(|pixel| value(pixel, i) * value(pixel, j))
                .sum::<f64>()
                / n;
            let rebuilt: f64 = (0..3)
                .map(|k| p.values[k] * p.vectors[k][i] * p.vectors[k][j])
                .sum();
            close(rebuilt, covariance);
            let dot: f64 = (0..3).map(|k| p.vectors[i][k] * p.vectors[j][k]).sum();
            close(dot, if i == j { 1.0 } else { 0.0 });
        }
        close(
            found.std[i] * found.std[i],
            pixels
                .chunks(3)
                .map(|p| (f64::from(p[i]) / 255.0 - found.mean[i]).powi(2))
                .sum::<f64>()
                / n,
        );
    }
    assert!(p.values.is_sorted_by(|a, b| a >= b), "{:?}", p.values);
}

#[test]
fn a_contact_sheet_has_labelled_rows_and_is_written_whole() {
    let set = Shapes10::default()
        .with_sizes(200, 1, 1)
        .generate()
        .unwrap();
    let rows = rows_by_class(&set.train, 5, 1);
    assert_eq!(
        (rows.len(), rows[3].label.as_str(), rows[3].samples.len()),
        (10, "triangle 20", 5)
    );
    assert!(
        rows[3]
            .samples
            .iter()
            .all(|sample| set.train.labels()[*sample as usize] == 3),
        "of another class"
    );
    let sheet = contact_sheet(&set.train, &rows, 32).unwrap();
    // 11 letters and a space, 5 tiles of 32 and gaps of 4.
    assert_eq!(sheet.size(), [10 * 36 + 4, 12 * 8 + 5 * 36 + 4]);
    let mut first = vec![0; 3072];
    set.train
        .read(rows[0].samples[0] as usize, &mut first)
        .unwrap();
    let row_bytes = sheet.size()[1] as usize * 3;
    let start = 4 * row_bytes + (12 * 8 + 4) * 3;
    assert_eq!(sheet.pixels()[start..start + 96], first[..96]);
    assert!(
        sheet.pixels()[..100 * row_bytes]
            .chunks(row_bytes)
            .any(|row| row[..90].contains(&32)),
        "no ink"
    );

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sheet.png");
    sheet.write_png(&path).unwrap();
    let read = image::open(&path).unwrap().into_rgb8();
    assert_eq!(
        (
            read.as_raw().as_slice(),
            std::fs::read_dir(dir.path()).unwrap().count()
        ),
        (sheet.pixels(), 1)
    );
    assert!(
        matches!(
            sheet.write_png(&dir.path().join("no/sheet.png")),
            Err(DataError::File(_))
        ),
        "no such folder"
    );
}

#[test]
fn impossible_sheets_are_errors() {
    let set = Shapes10::default().with_sizes(10, 1, 1).generate().unwrap();
    let row = |samples| {
        vec![SheetRow {
            label: "caf\u{e9} \u{4e2d}".repeat(20),
            samples,
        }]
    };
    assert!(
        contact_sheet(&set.train, &row(vec![0; 3]), 40).is_ok(),
        "a long label"
    );
    for (samples, tile) in [
        (vec![], 32),
        (vec![0], 0),
        (vec![10], 32),
        (vec![0; 20], u32::MAX),
    ] {
        assert!(
            matches!(
                contact_sheet(&set.train, &row(samples), tile),
                Err(DataError::Argument { .. })
            ),
            "tile {tile}"
        );
    }
}
