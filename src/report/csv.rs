//! Comma-separated values as RFC 4180 says: lines end with CR LF, and a cell is quoted where it must be.

/// Rows as text.
pub(super) fn csv<'r>(rows: impl IntoIterator<Item = &'r Vec<String>>) -> String {
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::csv;

    #[test]
    fn what_would_break_a_row_is_quoted() {
        let row = ["华康医院", "a,b", "say \"yes\"", "two\nlines", ""].map(str::to_owned).to_vec();
        assert_eq!(csv([&row]), "华康医院,\"a,b\",\"say \"\"yes\"\"\",\"two\nlines\",\r\n");
    }
}
