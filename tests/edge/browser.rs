//! What people do in a browser: headless Chromium through chromedriver (Debian's `chromium-driver`), which speaks
//! WebDriver over plain HTTP. The client below is as small as the tests need.

use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How a browser is opened.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    /// Its width in CSS pixels; below 500 it is a phone.
    pub(crate) width: u32,
    /// Whether pages may run scripts.
    pub(crate) script: bool,
}

/// One browser with its driver; both end with it.
pub(crate) struct Browser {
    driver: Child,
    base: String,
    _profile: tempfile::TempDir,
}

/// An element of the page that is open.
pub(crate) struct Element(String);

const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Whether there is a browser to test with; says so where there is none.
    pub(crate) fn is_here() -> bool {
        let found = Command::new("chromedriver").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !found {
            eprintln!("left out: no chromedriver (Debian: apt-get install chromium chromium-driver fonts-noto-cjk)");
        }
        found
    }

    pub(crate) fn open(window: Window) -> Browser {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts (Debian: apt-get install chromium chromium-driver fonts-noto-cjk)");
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser { driver, base: format!("http://127.0.0.1:{port}"), _profile: profile };
        let start = Instant::now();
        while ureq::get(format!("{}/status", browser.base)).call().is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "chromedriver does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        let folder = browser._profile.path().join("profile");
        let mut options = json!({ "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--disable-dev-shm-usage", format!("--user-data-dir={}", folder.display()),
        ]});
        if !window.script {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let session = browser.call("POST", "/session", wanted);
        let id = session["sessionId"].as_str().expect("a session").to_owned();
        browser.base = format!("{}/session/{id}", browser.base);
        let metrics =
            json!({ "width": window.width, "height": 900, "deviceScaleFactor": 1, "mobile": window.width < 500 });
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics);
        browser
    }

    /// Opens an address and waits until it is there.
    pub(crate) fn go(&self, url: &str) {
        self.call("POST", "/url", json!({ "url": url }));
    }

    /// The address that is open.
    pub(crate) fn url(&self) -> String {
        self.call("GET", "/url", Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// The elements that a CSS selector finds.
    pub(crate) fn all(&self, css: &str) -> Vec<Element> {
        let found = self.call("POST", "/elements", json!({ "using": "css selector", "value": css }));
        let id = |element: &Value| element[ELEMENT].as_str().map(|id| Element(id.to_owned()));
        found.as_array().into_iter().flatten().filter_map(id).collect()
    }

    /// The first of them, once it is there.
    pub(crate) fn one(&self, css: &str) -> Element {
        let found = self.patiently(|| self.all(css).into_iter().next());
        found.unwrap_or_else(|| panic!("no {css} on {}:\n{}", self.url(), self.text()))
    }

    /// Waits until the page says this.
    pub(crate) fn until(&self, words: &str) {
        let said = self.patiently(|| self.text().contains(words).then_some(()));
        assert!(said.is_some(), "{words} is not on {}:\n{}", self.url(), self.text());
    }

    /// Tries until there is an answer; a page that is on its way is not there yet.
    fn patiently<T>(&self, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let start = Instant::now();
        loop {
            let found = attempt();
            if found.is_some() || start.elapsed() > Duration::from_secs(10) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Clicks, as a person would: an element that is covered or out of reach cannot be clicked.
    pub(crate) fn click(&self, element: &Element) {
        self.call("POST", &format!("/element/{}/click", element.0), json!({}));
    }

    /// Clicks where it can be clicked.
    pub(crate) fn try_click(&self, element: &Element) -> bool {
        self.send("POST", &format!("/element/{}/click", element.0), json!({})).is_ok()
    }

    /// Types into an element.
    pub(crate) fn write(&self, element: &Element, text: &str) {
        self.call("POST", &format!("/element/{}/value", element.0), json!({ "text": text }));
    }

    /// An attribute or property of an element.
    pub(crate) fn property(&self, element: &Element, name: &str) -> String {
        let found = self.call("GET", &format!("/element/{}/property/{name}", element.0), Value::Null);
        found.as_str().map_or_else(|| found.to_string(), str::to_owned)
    }

    /// The place and size of an element: left, top, width, height.
    pub(crate) fn place(&self, element: &Element) -> [f64; 4] {
        let found = self.call("GET", &format!("/element/{}/rect", element.0), Value::Null);
        ["x", "y", "width", "height"].map(|part| found[part].as_f64().unwrap_or_default())
    }

    /// All text that the page shows; nothing while it is on its way.
    pub(crate) fn text(&self) -> String {
        let body = self.all("body");
        let text = |body: &Element| self.send("GET", &format!("/element/{}/text", body.0), Value::Null).ok();
        body.first().and_then(text).and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Goes into the first frame of the page.
    pub(crate) fn frame(&self) {
        self.call("POST", "/frame", json!({ "id": 0 }));
    }

    /// Goes back to the page itself.
    pub(crate) fn top(&self) {
        self.call("POST", "/frame", json!({ "id": null }));
    }

    /// Empties a box.
    pub(crate) fn clear(&self, element: &Element) {
        self.call("POST", &format!("/element/{}/clear", element.0), json!({}));
    }

    /// The width that the page's content needs.
    pub(crate) fn content_width(&self) -> f64 {
        let metrics = self.devtools("Page.getLayoutMetrics", json!({}));
        metrics["cssContentSize"]["width"].as_f64().unwrap_or_default()
    }

    fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.call("POST", "/goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Value {
        self.send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn send(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let url = format!("{}{path}", self.base);
        let answer = match method {
            "GET" => agent.get(&url).call(),
            "DELETE" => agent.delete(&url).call(),
            _ => agent.post(&url).header("content-type", "application/json").send(body.to_string()),
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let ok = answer.status().is_success();
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let mut found: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if ok { Ok(found["value"].take()) } else { Err(found["value"]["message"].as_str().unwrap_or(&text).to_owned()) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.send("DELETE", "", Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
