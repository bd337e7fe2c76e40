//! A very small browser: one page, its first form, and what a press of the button sends. It knows just enough of
//! HTML to do on our own pages what a person does: fields with what stands in them, radios, boxes, selections.

use crate::model::text::Wording;

/// A page as it came.
pub(crate) struct Page {
    url: String,
    body: String,
}

/// The fields of a form, with what would be sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    action: String,
    values: Vec<(String, String)>,
    /// What each group of radios or selection offers.
    offers: Vec<(String, String)>,
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_global(Some(std::time::Duration::from_secs(20)));
    config.build().into()
}

fn broken(error: &ureq::Error) -> Wording {
    Wording::new(format!("网页打不开：{error}"), format!("the page does not open: {error}"))
}

impl Page {
    /// Asks for the head of a page.
    pub(crate) fn head(url: &str) -> Result<(), Wording> {
        let answer = agent().head(url).call().map_err(|error| broken(&error))?;
        good(answer.status().as_u16(), url)
    }

    /// Gets a page.
    pub(crate) fn get(url: &str) -> Result<Page, Wording> {
        let mut answer = agent().get(url).call().map_err(|error| broken(&error))?;
        good(answer.status().as_u16(), url)?;
        let body = answer.body_mut().read_to_string().map_err(|error| broken(&error))?;
        Ok(Page { url: url.to_owned(), body })
    }

    /// The first form of the page that posts.
    pub(crate) fn form(&self) -> Option<Form> {
        Form::read(&self.body)
    }

    /// Posts a form of this page and follows the redirect that a recorded answer is answered with.
    pub(crate) fn submit(&self, form: &Form) -> Result<Page, Wording> {
        let (origin, _) = split(&self.url);
        let url = absolute(origin, &form.action, &self.url);
        let pairs = form.values.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let answer = agent().post(&url).header("Origin", origin).send_form(pairs).map_err(|error| broken(&error))?;
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
        match (status, location) {
            (303, Some(location)) => Page::get(&absolute(origin, location, &self.url)),
            _ => Err(Wording::new(
                format!("提交没有被接受（HTTP {status}）"),
                format!("the answer was not taken (HTTP {status})"),
            )),
        }
    }
}

fn good(status: u16, url: &str) -> Result<(), Wording> {
    if status == 200 {
        return Ok(());
    }
    // The path holds a ticket, which no message may show.
    let (origin, _) = split(url);
    Err(Wording::new(format!("{origin} 回答 HTTP {status}"), format!("{origin} answered HTTP {status}")))
}

/// `http://127.0.0.1:80` and the path after it.
fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at);
    url.split_at(path)
}

fn absolute(origin: &str, target: &str, current: &str) -> String {
    if target.is_empty() {
        current.to_owned()
    } else if target.contains("://") {
        target.to_owned()
    } else {
        format!("{origin}{target}")
    }
}

impl Form {
    fn read(html: &str) -> Option<Form> {
        let start = html.match_indices("<form").map(|(at, _)| at).find(|at| {
            let tag = html.get(*at..).and_then(|rest| rest.split('>').next()).unwrap_or_default();
            attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
        })?;
        let body = html.get(start..)?;
        let body = body.split("</form>").next()?;
        let head = body.split('>').next()?;
        let mut form = Form { action: attribute(head, "action").unwrap_or_default(), ..Form::default() };
        let mut select: Option<String> = None;
        let mut rest = body.get(1..)?;
        while let Some(at) = rest.find('<') {
            let inside = rest.get(at + 1..)?;
            let (tag, after) = inside.split_once('>')?;
            rest = after;
            let name = attribute(tag, "name");
            let value = || attribute(tag, "value").unwrap_or_default();
            match (tag.split_whitespace().next().unwrap_or_default(), name) {
                ("input", Some(name)) => match attribute(tag, "type").as_deref() {
                    Some("radio" | "checkbox") => {
                        form.offers.push((name.clone(), value()));
                        if has(tag, "checked") {
                            form.values.push((name, value()));
                        }
                    }
                    _ => form.values.push((name, value())),
                },
                ("textarea", Some(name)) => {
                    let text = after.split("</textarea>").next().unwrap_or_default();
                    form.values.push((name, unescape(text)));
                }
                ("select", Some(name)) => {
                    select = Some(name.clone());
                    form.values.push((name, String::new()));
                }
                ("option", _) => {
                    if let Some(name) = &select {
                        form.offers.push((name.clone(), value()));
                        if has(tag, "selected") {
                            form.put(name, &value());
                        }
                    }
                }
                ("/select", _) => select = None,
                _ => {}
            }
        }
        Some(form)
    }

    /// Fills in a field that the page has.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), Wording> {
        if self.offers.iter().any(|(own, _)| own == name) {
            return self.choose(name, value);
        }
        if !self.values.iter().any(|(own, _)| own == name) {
            return Err(Wording::new(format!("页面上没有“{name}”这一项"), format!("the page has no field “{name}”")));
        }
        self.put(name, value);
        Ok(())
    }

    /// Takes one of the offers of a group.
    pub(crate) fn choose(&mut self, name: &str, value: &str) -> Result<(), Wording> {
        let offered = |(own, offer): &&(String, String)| own == name && offer == value;
        if self.offers.iter().find(offered).is_none() {
            let all = self.offers.iter().filter(|(own, _)| own == name);
            let all: Vec<&str> = all.map(|(_, offer)| offer.as_str()).collect();
            return Err(Wording::new(
                format!("页面上“{name}”没有“{value}”，只有：{}", all.join("、")),
                format!("the page offers no “{value}” for “{name}”, but: {}", all.join(", ")),
            ));
        }
        self.put(name, value);
        Ok(())
    }

    fn put(&mut self, name: &str, value: &str) {
        match self.values.iter_mut().find(|(own, _)| own == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.values.push((name.to_owned(), value.to_owned())),
        }
    }
}

/// The value of an attribute in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let needle = format!(" {name}=\"");
    let at = tag.find(&needle)? + needle.len();
    tag.get(at..)?.split('"').next().map(unescape)
}

/// Whether a tag has an attribute without a value.
fn has(tag: &str, name: &str) -> bool {
    let outside: String = tag.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    outside.split_whitespace().any(|word| word == name)
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        let read = entity.and_then(|(name, after)| {
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => number.parse().ok()?,
                    };
                    char::from_u32(code)?
                }
            };
            Some((c, after))
        });
        match read {
            Some((c, after)) => {
                plain.push(c);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<p>x</p><form class="card" method="post" action="/t/abc">
        <input type="hidden" name="seen" value="a&quot;b"><input name="total" value="1 &lt; 2" required>
        <label><input type="radio" name="outcome" value="approved" required> 同意</label>
        <label><input type="radio" name="outcome" value="rejected" required> 不同意</label>
        <input type="checkbox" name="flag" value="1" checked><input type="checkbox" name="other" value="checked">
        <select name="kind"><option value="">–</option><option value="b" selected>B</option></select>
        <textarea name="opinion" rows="3">好&#x27;的</textarea><button name="act" value="submit">提交</button></form>"#;

    #[test]
    fn a_form_is_read_as_a_browser_would_send_it() {
        let form = Form::read(PAGE).unwrap();
        let values: Vec<(&str, &str)> =
            form.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [("seen", "a\"b"), ("total", "1 < 2"), ("flag", "1"), ("kind", "b"), ("opinion", "好'的")];
        assert_eq!(values, expected);
        assert_eq!(form.action, "/t/abc");
    }

    #[test]
    fn only_what_the_page_offers_can_be_chosen() {
        let mut form = Form::read(PAGE).unwrap();
        form.choose("outcome", "approved").unwrap();
        assert!(form.values.contains(&("outcome".into(), "approved".into())));
        assert!(form.choose("outcome", "given").unwrap_err().en.contains("approved, rejected"));
        assert!(form.set("nothing", "1").is_err());
    }
}
