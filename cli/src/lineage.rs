//! Lineage across jobs, drawn: which tables feed which jobs, and what those write.

use std::collections::BTreeSet;

use engine::stage::analyze::JobLineage;
use termtree::Tree;

/// Trees from the tables and paths that no job writes, through jobs, to all that is made of them. What was drawn already
/// is named and not drawn again.
pub(crate) fn text(jobs: &[JobLineage]) -> String {
    let written: BTreeSet<&String> = jobs.iter().flat_map(|job| &job.writes).collect();
    let (beginnings, others): (Vec<&String>, Vec<&String>) =
        jobs.iter().flat_map(|job| &job.reads).partition(|name| !written.contains(name));
    let mut drawn = BTreeSet::new();
    // A circle of jobs has no beginning, so any of its tables serves as one.
    let trees = beginnings.into_iter().chain(others).filter_map(|name| {
        let fresh = !drawn.contains(name.as_str());
        fresh.then(|| dataset(jobs, name, &mut drawn).to_string())
    });
    trees.collect()
}

fn dataset<'j>(jobs: &'j [JobLineage], name: &'j str, drawn: &mut BTreeSet<&'j str>) -> Tree<String> {
    let fresh = drawn.insert(name);
    let mut tree = Tree::new(name.to_owned());
    for job in jobs.iter().filter(|job| job.reads.iter().any(|read| read == name)) {
        let mut node = Tree::new(format!("▸ {}", job.job));
        if fresh {
            node.extend(job.writes.iter().map(|output| dataset(jobs, output, drawn)));
        }
        tree.push(node);
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, reads: &[&str], writes: &[&str]) -> JobLineage {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        JobLineage { job: name.into(), script: format!("{name}.py"), reads: owned(reads), writes: owned(writes) }
    }

    #[test]
    fn a_table_made_of_two_is_drawn_under_both_and_continued_once() {
        let jobs = [job("etl", &["raw", "dim"], &["fact"]), job("report", &["fact"], &["out"])];
        let expected = "\
raw
└── ▸ etl
    └── fact
        └── ▸ report
            └── out
dim
└── ▸ etl
    └── fact
        └── ▸ report
";
        assert_eq!(text(&jobs), expected);
    }

    #[test]
    fn jobs_in_a_circle_are_drawn_once_around() {
        let jobs = [job("there", &["a"], &["b"]), job("back", &["b"], &["a"])];
        let drawn = text(&jobs);
        assert_eq!(drawn.matches("▸ there").count(), 2, "{drawn}");
        assert!(drawn.lines().count() < 8, "{drawn}");
    }
}
