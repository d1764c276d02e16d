//! What the demo says: on the terminal as it happens, and in a file that a browser opens.

use std::fmt::Write as _;
use std::path::Path;

use crate::failure::Failure;
use crate::output::Out;
use crate::store::StoreUrl;
use crate::table::Table;

/// The terminal and the report file, written together.
pub(crate) struct Report {
    out: Out,
    html: String,
    chapters: usize,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}\
pre{background:#f4f4f6;padding:.8em;overflow-x:auto}h2{border-bottom:1px solid #ccc;margin-top:2em}code{background:#f4f4f6}";

impl Report {
    pub(crate) fn new(out: Out) -> Self {
        let html = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fleet demo</title><style>{STYLE}</style>\n"
        );
        Self {
            out,
            html,
            chapters: 0,
        }
    }

    pub(crate) fn title(&mut self, text: &str) -> Result<(), Failure> {
        let _ = writeln!(self.html, "<h1>{}</h1>", escaped(text));
        self.out.line(text)?;
        self.out.flush()
    }

    pub(crate) fn chapter(&mut self, text: &str) -> Result<(), Failure> {
        self.chapters += 1;
        let _ = writeln!(self.html, "<h2>{}. {}</h2>", self.chapters, escaped(text));
        self.out.line(&format!("\n{}. {text}", self.chapters))?;
        self.out.flush()
    }

    pub(crate) fn say(&mut self, text: &str) -> Result<(), Failure> {
        let _ = writeln!(self.html, "<p>{}</p>", escaped(text));
        self.out
            .line(&format!("   {}", crate::output::printable(text)))?;
        self.out.flush()
    }

    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let _ = writeln!(
            self.html,
            "<pre>{}</pre>",
            escaped(table.render(false).trim_end())
        );
        for line in table.render(self.out.is_terminal()).trim_end().lines() {
            self.out.line(&format!("     {line}"))?;
        }
        self.out.flush()
    }

    /// Text as it stands, such as a diagnostic or a document.
    pub(crate) fn block(&mut self, text: &str) -> Result<(), Failure> {
        let _ = writeln!(self.html, "<pre>{}</pre>", escaped(text.trim_end()));
        for line in text.trim_end().lines() {
            self.out
                .line(&format!("     {}", crate::output::printable(line)))?;
        }
        self.out.flush()
    }

    /// Writes the report file and says how to go on.
    pub(crate) fn finish(mut self, folder: &Path, store: &StoreUrl) -> Result<(), Failure> {
        self.chapter("Go on")?;
        let commands = [
            format!("fleet --store {store} group things plant --recursive"),
            format!(
                "fleet --store {store} query --explain \"SELECT * FROM devices WHERE tags.region = 'eu-west'\""
            ),
            format!("fleet --store {store} events --limit 5"),
            format!("fleet --store {store} verify"),
        ];
        self.block(&commands.join("\n"))?;
        let file = folder.join("report.html");
        self.say(&format!("The same as a page: {}", file.display()))?;
        self.say(&format!(
            "All of it is in one folder; remove it with: rm -r {}",
            folder.display()
        ))?;
        std::fs::write(&file, self.html.as_bytes())
            .map_err(|error| Failure::file(&file.display().to_string(), &error))?;
        self.out.flush()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
