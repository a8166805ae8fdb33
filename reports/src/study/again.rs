//! The command that makes a trial again, from the command that made its file.

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A command without what [`command`] will add to it, if it has that already.
pub fn bare(command: &str) -> String {
    without(command, &["--only", "--strategies"])
}

/// A command without some options and their values.
pub fn without(command: &str, options: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut within) = (String::new(), false);
    for letter in command.chars() {
        within ^= letter == '\'';
        if letter.is_whitespace() && !within {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(letter);
        }
    }
    words.push(word);
    let mut kept: Vec<String> = Vec::new();
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        match word.split_once('=') {
            None if options.contains(&word.as_str()) => drop(words.next()),
            Some((option, _)) if options.contains(&option) => {}
            _ => kept.push(word),
        }
    }
    kept.join(" ")
}

/// Makes one trial again, of the run that `run` made.
pub fn command(run: &str, sweep: &str, point: u32, spec: &str) -> String {
    format!("{} --only {} --strategies {}", bare(run), quoted(&format!("{sweep}/{point}")), quoted(spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_survive_a_shell() {
        assert_eq!(quoted("by-n/3"), "by-n/3");
        assert_eq!(quoted("riblt:bits=64,check=32"), "'riblt:bits=64,check=32'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_command_is_narrowed_once() {
        let command = "offerbench run n-size --seed 7 --only a/1 --strategies 'x:a=1 y' --quick --only=b";
        assert_eq!(bare(command), "offerbench run n-size --seed 7 --quick");
        let seedless = "offerbench run n-size --only a/1 --strategies 'x:a=1 y' --quick --only=b";
        assert_eq!(without(command, &["--seed"]), seedless);
    }
}
