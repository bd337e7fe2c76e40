//! `schema`: what an editor needs to complete and check files while they are typed.

use crate::cli::Words;
use crate::cli::exit::Stop;
use crate::cli::shell::Shell;
use crate::syntax::{schema, schema_kinds};
use clap::{ArgMatches, Command};

pub(super) fn tree(words: Words) -> Command {
    Command::new("schema")
        .about(words.pick("输出 JSON Schema，编辑器据此补全和检查", "Print the JSON Schema, for editors"))
        .long_about(words.pick(
            "输出文件的 JSON Schema（draft-07）。VS Code 等编辑器的 YAML 插件据此一边输入一边补全、提示和检查；\
             说明用 --lang 的语言。",
            "Print the JSON Schema (draft-07) of the files. With it the YAML extensions of editors complete, explain and check \
             while one types; what keys are for is said in the language of --lang.",
        ))
        .arg(
            words
                .word("kind", ("种类", "KIND"), "哪种文件；不写就是全部", "Which kind of file; all of them if left out")
                .value_parser(schema_kinds().collect::<Vec<_>>()),
        )
        .arg(words.json())
        .after_help("countersign schema > countersign.schema.json\ncountersign schema process --lang zh")
}

pub(super) fn run(shell: &Shell, matches: &ArgMatches) -> Result<(), Stop> {
    let kind = matches.get_one::<String>("kind").map(String::as_str);
    match schema(kind, shell.output.lang) {
        Some(schema) => shell.output.json(&schema),
        None => Ok(()),
    }
}
