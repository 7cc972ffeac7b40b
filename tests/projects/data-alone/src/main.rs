//! Takes batches of the data set that is built in, makes a set of its own, and is told what to put where for one that would
//! have to be downloaded.

use std::error::Error;

use data::{DataError, DataSet, Images, Loader, LoaderOptions, OpenOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let set = data::open("shapes10".as_ref(), &OpenOptions::default(), &mut |_| {})?;
    let mut loader = Loader::new(set.train, LoaderOptions::training(64, 1))?;
    assert_eq!(loader.next_batch()?.pixels.len(), 64 * 32 * 32 * 3);

    let names = ["dark", "light"].map(str::to_owned).to_vec();
    let shade = |index: usize, out: &mut [u8]| out.fill(if index % 2 == 0 { 10 } else { 240 });
    let own = Images::from_fn([8, 12, 1], (0..20).map(|i| i % 2).collect(), names, shade)?;
    let own = DataSet::new("shades", own).with_validation(4, 0)?;
    assert_eq!(own.train.len(), 16);

    let folder = std::env::temp_dir().join(format!("data-alone-{}", std::process::id()));
    let options = OpenOptions {
        data_dir: Some(folder.clone()),
        ..OpenOptions::default()
    };
    let error = data::open("cifar10".as_ref(), &options, &mut |_| {}).unwrap_err();
    assert!(matches!(error, DataError::Missing { .. }), "{error:?}");
    assert!(
        error.to_string().contains("cifar-10-binary.tar.gz"),
        "{error}"
    );
    assert!(!folder.exists(), "nothing is made");
    println!("{error}");
    Ok(())
}
