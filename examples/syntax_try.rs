use countersign::diagnostics::*;
use countersign::model::text::Lang;
fn main() {
    let mut s = Sources::new();
    let mut all = vec![];
    let mut dump = false;
    let en = std::env::args().any(|a| a == "--en");
    for a in std::env::args().skip(1) {
        if a == "-d" {
            dump = true;
            continue;
        }
        if a == "--en" {
            continue;
        }
        let b = std::fs::read(&a).unwrap();
        let id = s.add_bytes(a, &b);
        let t = std::time::Instant::now();
        let (d, mut x) = countersign::syntax::parse(id, &s);
        eprintln!("{:?}", t.elapsed());
        if dump {
            println!("{d:#?}");
        }
        all.append(&mut x);
    }
    print!("{}", render(&all, &s, if en { Lang::En } else { Lang::Zh }, Style::default()));
}
