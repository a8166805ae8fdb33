//! The bar from which a reader filters the page. It is hidden until the page's script, which makes it work, shows
//! it: without JavaScript there is nothing to press in vain.

use std::collections::BTreeMap;

use super::tag::{badge, escaped};
use crate::study::Study;

/// What a reader may look at the page for. Elements with `data-objective` name one or more of them.
const OBJECTIVES: [(&str, &str); 5] = [
    ("all", "everything"),
    ("bytes", "bytes"),
    ("cpu", "CPU"),
    ("time", "time to completion"),
    ("sum", "a weighted sum"),
];

/// A checkbox a contender, by family, and the choice of objective.
pub fn controls(study: &Study<'_>) -> String {
    let mut families: BTreeMap<(usize, &str), String> = BTreeMap::new();
    for (index, contender) in study.roster.contenders.iter().enumerate() {
        let family = contender.strategy.as_str();
        let first = study.roster.contenders.iter().position(|one| one.strategy == family).unwrap_or(index);
        *families.entry((first, family)).or_default() += &format!(
            "<li><label><input type=\"checkbox\" checked data-contender={index} value=\"{label}\"> {badge} \
             {label}</label> <button type=\"button\" data-isolate={index} aria-label=\"Only {label}\">only</button></li>\n",
            label = escaped(study.roster.label(index)),
            badge = badge(&study.roster, index),
        );
    }
    let families: String = families
        .iter()
        .map(|((_, family), list)| {
            format!(
                "<fieldset><legend><label><input type=\"checkbox\" checked data-family> {}</label></legend>\n\
                 <ul>\n{list}</ul></fieldset>\n",
                escaped(family)
            )
        })
        .collect();
    let objectives: String =
        OBJECTIVES.iter().map(|(value, name)| format!("<option value=\"{value}\">{name}</option>")).collect();
    format!(
        "<form id=\"controls\" aria-label=\"Filter\" hidden>\n<p><label>Look at <select id=\"objective\">{objectives}\
         </select></label> <button type=\"button\" id=\"reset\">Reset</button> \
         <output id=\"shown\"></output></p>\n<div id=\"weights\" hidden></div>\n\
         <details><summary>Strategies</summary>\n<div class=\"families\">\n{families}</div>\n\
         <p class=\"note\">Sentences, rules, crossings and the marks of the cheapest are of all strategies, shown or \
         not.</p></details>\n</form>\n"
    )
}
