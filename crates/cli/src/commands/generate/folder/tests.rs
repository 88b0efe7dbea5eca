use super::*;

fn files(of: &[(&str, &str)]) -> Vec<File> {
    let file = |(path, text): &(&str, &str)| File {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    of.iter().map(file).collect()
}

#[test]
fn a_folder_that_was_left_half_written_is_written_with_another_document() {
    let first = files(&[("a/one.ts", "1"), ("b/two.ts", "2")]);
    let second = files(&[("a/one.ts", "1, again"), ("c/three.ts", "3"), ("d.ts", "4")]);
    let third = files(&[("b/two.ts", "5"), ("c/three.ts", "6"), ("d.ts", "7")]);
    for taken in 0.. {
        let directory = tempfile::tempdir().unwrap();
        let write = |files: &[File], most: usize| {
            let folder = Folder::open(directory.path()).unwrap();
            let change = folder.compare(files).unwrap();
            let steps = folder.steps(files, &change).unwrap();
            let all = steps.len();
            for step in steps.into_iter().take(most) {
                folder.take(step).unwrap();
            }
            all
        };
        write(&first, usize::MAX);
        let all = write(&second, taken);
        write(&third, usize::MAX);
        let folder = Folder::open(directory.path()).unwrap();
        assert!(folder.compare(&third).unwrap().is_empty(), "after {taken}");
        assert_eq!(folder.ours, digests_of(&third));
        if taken == all {
            return;
        }
    }
}
