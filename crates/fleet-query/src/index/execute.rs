//! Runs a plan over the chunks of a state.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: rows and masks have the chunk's size"
)]
use super::column::{Lane, Piece, TAG_ARRAY, TAG_FALSE, TAG_NULL, TAG_OBJECT, TAG_TRUE};
use super::error::IndexError;
use super::ints::{Mask, ROWS};
use super::kernel;
use super::plan::{Codes, Judge, Leaf, Plan};
use super::schema::{Node, ROOT};
use super::state::State;
use super::test::{Numbers, Strings, Test};
use crate::document::Document;
use crate::eval;
use serde_json::{Map, Value};
use std::cell::{Cell as Counter, RefCell};

/// What a judged document costs, in entries.
const JUDGED: u64 = 64;

/// A run of a plan with what is left of its budget.
#[derive(Debug)]
pub(crate) struct Run<'s> {
    pub(crate) state: &'s State,
    budget: u64,
    left: Counter<u64>,
    /// Masks that are not in use.
    masks: RefCell<Vec<Box<Mask>>>,
}

impl<'s> Run<'s> {
    pub(crate) fn new(state: &'s State, budget: u64) -> Self {
        Self {
            state,
            budget,
            left: Counter::new(budget),
            masks: RefCell::default(),
        }
    }

    fn spend(&self, entries: u64) -> Result<(), IndexError> {
        match self.left.get().checked_sub(entries) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(IndexError::CostExceeded {
                budget: self.budget,
            }),
        }
    }

    /// Runs `f` with an empty mask of its own.
    fn with_mask<T>(&self, f: impl FnOnce(&mut Mask) -> T) -> T {
        let held = self.masks.borrow_mut().pop();
        let mut mask = match held {
            Some(mut mask) => {
                mask.fill(0);
                mask
            }
            None => Box::new([0; ROWS]),
        };
        let result = f(&mut mask);
        self.masks.borrow_mut().push(mask);
        result
    }

    /// Index entries visited so far.
    pub(crate) fn spent(&self) -> u64 {
        self.budget - self.left.get()
    }

    /// The chunks that can hold a selected row, ascending; none for all of them.
    pub(crate) fn chunks(&self, plan: &Plan<'_>) -> Option<Vec<usize>> {
        match plan {
            Plan::Everything(true) | Plan::Outside(_) | Plan::Judge(_) => None,
            Plan::Everything(false) | Plan::Row(None) => Some(Vec::new()),
            Plan::Row(Some(row)) => Some(vec![row / ROWS]),
            Plan::Found { rows, .. } => {
                let mut chunks: Vec<usize> = rows.iter().map(|row| *row as usize / ROWS).collect();
                chunks.dedup();
                Some(chunks)
            }
            Plan::All(children) => children
                .iter()
                .filter_map(|child| self.chunks(child))
                .min_by_key(Vec::len),
            Plan::Any(children) => {
                let mut all = Vec::new();
                for child in children {
                    all.extend(self.chunks(child)?);
                }
                all.sort_unstable();
                all.dedup();
                Some(all)
            }
            Plan::Leaf(leaf) => {
                let json = |node: &Node| {
                    self.state.column(*node).is_some_and(|column| {
                        column.pieces.len() <= 8
                            && column.pieces.iter().all(|(_, piece)| !has_json(piece))
                            || *node == ROOT
                    })
                };
                if leaf.test.undefined
                    || leaf
                        .inherited
                        .iter()
                        .any(|inherited| !inherited.values.is_empty())
                {
                    return None;
                }
                // Worth it only for rare paths: others have a piece in nearly every chunk.
                let columns = || leaf.nodes.iter().chain(&leaf.elements);
                let pieces: usize = columns()
                    .filter_map(|node| self.state.column(*node))
                    .map(|column| column.pieces.len())
                    .sum();
                if pieces * 2 > self.state.chunks()
                    || !leaf.opaque.iter().all(json) && !self.plain_above(leaf)
                {
                    return None;
                }
                let mut all: Vec<usize> = columns()
                    .filter_map(|node| self.state.column(*node))
                    .flat_map(|column| column.pieces.iter().map(|(chunk, _)| *chunk as usize))
                    .collect();
                all.sort_unstable();
                all.dedup();
                Some(all)
            }
        }
    }

    /// Reads a little of every piece that a plan looks at in a chunk.
    pub(crate) fn touch(&self, plan: &Plan<'_>, chunk: usize) {
        match plan {
            Plan::All(children) | Plan::Any(children) => {
                children.iter().for_each(|child| self.touch(child, chunk));
            }
            Plan::Outside(inner) => self.touch(inner, chunk),
            Plan::Leaf(leaf) => {
                for node in leaf.nodes.iter().chain(&leaf.elements) {
                    let column = self.state.column(*node);
                    std::hint::black_box(column.map_or(0, |column| column.touch(chunk * ROWS)));
                }
            }
            Plan::Everything(_) | Plan::Row(_) | Plan::Found { .. } | Plan::Judge(_) => {}
        }
    }

    /// Whether the nodes above the leaf can be only objects: its path has keys only, and a key finds nothing in JSON
    /// text, which is an array or a number.
    fn plain_above(&self, leaf: &Leaf<'_>) -> bool {
        !leaf
            .path
            .segments()
            .iter()
            .any(|segment| matches!(segment, crate::path::Segment::Index(_)))
    }

    /// Selects the live rows of a chunk.
    pub(crate) fn live(&self, chunk: usize, out: &mut Mask) {
        let Some(piece) = self
            .state
            .column(ROOT)
            .and_then(|column| column.piece(chunk))
        else {
            return;
        };
        for lane in &piece.lanes {
            if let Lane::Tags(tags) = lane {
                tags.select(TAG_OBJECT, TAG_OBJECT, out);
            }
        }
    }

    /// Selects the rows of a chunk; `out` is empty before, and only candidates are looked for where that saves work.
    pub(crate) fn select(
        &self,
        plan: &Plan<'_>,
        chunk: usize,
        candidates: Option<&Mask>,
        out: &mut Mask,
    ) -> Result<(), IndexError> {
        match plan {
            Plan::Everything(false) | Plan::Row(None) => {}
            Plan::Everything(true) => self.live(chunk, out),
            Plan::Row(Some(row)) => {
                if row / ROWS == chunk {
                    out[row % ROWS] = 1;
                }
            }
            Plan::Found { rows, .. } => {
                let from = chunk * ROWS;
                let at = rows.partition_point(|row| (*row as usize) < from);
                for row in &rows[at..] {
                    let Some(slot) = out.get_mut(*row as usize - from) else {
                        break;
                    };
                    *slot = 1;
                    self.spend(1)?;
                }
            }
            Plan::All(children) => {
                let Some((first, rest)) = children.split_first() else {
                    self.live(chunk, out);
                    return Ok(());
                };
                self.select(first, chunk, candidates, out)?;
                for child in rest {
                    if !kernel::any(out) {
                        return Ok(());
                    }
                    self.keep(child, chunk, out)?;
                }
            }
            Plan::Any(children) => self.select_any(children, chunk, candidates, out)?,
            Plan::Outside(inner) => {
                self.select(inner, chunk, candidates, out)?;
                self.with_mask(|live| {
                    self.live(chunk, live);
                    kernel::complement(out, live);
                });
            }
            Plan::Leaf(leaf) => self.leaf(leaf, chunk, candidates, out)?,
            Plan::Judge(judge) => {
                let mut live = Box::new([0; ROWS]);
                self.live(chunk, &mut live);
                if let Some(candidates) = candidates {
                    kernel::and(&mut live, candidates);
                }
                self.spend(kernel::total(&live) as u64 * JUDGED)?;
                kernel::for_each_row(&live, |row| {
                    out[row] = u8::from(self.judge(judge, chunk * ROWS + row));
                });
            }
        }
        Ok(())
    }

    /// Selects what one of the plans selects.
    fn select_any(
        &self,
        plans: &[Plan<'_>],
        chunk: usize,
        candidates: Option<&Mask>,
        out: &mut Mask,
    ) -> Result<(), IndexError> {
        for plan in plans {
            if let Plan::Leaf(leaf) = plan
                && self.only_adds(leaf, chunk)
            {
                self.leaf(leaf, chunk, candidates, out)?;
                continue;
            }
            self.with_mask(|found| {
                self.select(plan, chunk, candidates, found)?;
                kernel::or(out, found);
                Ok::<(), IndexError>(())
            })?;
        }
        Ok(())
    }

    /// Takes from a selection what a plan does not select.
    fn keep(&self, plan: &Plan<'_>, chunk: usize, mask: &mut Mask) -> Result<(), IndexError> {
        if let Plan::Leaf(leaf) = plan {
            match self.deciding(leaf, chunk) {
                Some(Deciding::Nothing) => {
                    mask.fill(0);
                    return Ok(());
                }
                Some(Deciding::Range(ints, low, high)) => {
                    self.spend(ints.count() as u64)?;
                    ints.narrow(low, high, mask);
                    return Ok(());
                }
                None => {}
            }
        }
        self.with_mask(|found| {
            self.select(plan, chunk, Some(mask), found)?;
            kernel::and(mask, found);
            Ok(())
        })
    }

    fn judge(&self, judge: &Judge<'_>, row: usize) -> bool {
        let document = match &judge.roots {
            None => self.state.document(row),
            Some(roots) => {
                let mut members = Map::new();
                for node in roots {
                    if let (Some(key), Some(value)) =
                        (self.state.schema.key(*node), self.state.value(*node, row))
                    {
                        members.insert(key.to_owned(), value);
                    }
                }
                let mut document = Value::Object(members);
                self.state.inherit(row, &mut document);
                Some(document)
            }
        };
        document.is_some_and(|document| {
            eval::eval_predicate(judge.predicate, judge.profile, Document::new(&document))
                == judge.want
        })
    }

    fn piece(&self, node: Node, chunk: usize) -> Option<&'s Piece> {
        self.state.column(node)?.piece(chunk)
    }

    fn leaf(
        &self,
        leaf: &Leaf<'_>,
        chunk: usize,
        candidates: Option<&Mask>,
        out: &mut Mask,
    ) -> Result<(), IndexError> {
        let test = &leaf.test;
        if !leaf.contains {
            for (node, codes) in leaf.nodes.iter().zip(&leaf.codes) {
                if let Some(piece) = self.piece(*node, chunk) {
                    self.lanes(piece, leaf, codes, out)?;
                }
            }
        }
        for (node, codes) in leaf
            .elements
            .iter()
            .zip(leaf.codes.iter().skip(leaf.nodes.len()))
        {
            if let Some(piece) = self.piece(*node, chunk) {
                self.lanes(piece, leaf, codes, out)?;
            }
        }
        if leaf.contains && test.want == crate::value::Truth::False {
            self.with_mask(|arrays| {
                for piece in leaf
                    .nodes
                    .iter()
                    .filter_map(|node| self.piece(*node, chunk))
                {
                    for lane in &piece.lanes {
                        if let Lane::Tags(tags) = lane {
                            tags.select(TAG_ARRAY, i64::MAX, arrays);
                        }
                    }
                }
                kernel::complement(out, arrays);
            });
        } else if test.undefined && !leaf.contains {
            let mut live = Box::new([0; ROWS]);
            let mut absent = Box::new([0; ROWS]);
            self.live(chunk, &mut live);
            for piece in leaf
                .nodes
                .iter()
                .filter_map(|node| self.piece(*node, chunk))
            {
                self.spend(piece.lanes.iter().map(Lane::count).sum::<usize>() as u64)?;
                piece
                    .lanes
                    .iter()
                    .for_each(|lane| lane.select_all(&mut absent));
            }
            kernel::complement(&mut absent, &live);
            kernel::or(out, &absent);
        }
        for inherited in &leaf.inherited {
            self.inherit(
                inherited,
                test.profile.logic == crate::profile::Logic::ThreeValued,
                chunk,
                out,
            );
        }
        for node in &leaf.opaque {
            let Some(piece) = self.piece(*node, chunk) else {
                continue;
            };
            for lane in &piece.lanes {
                let Lane::Json(texts) = lane else { continue };
                self.spend(texts.count() as u64 * JUDGED)?;
                texts.for_each(|row, _| {
                    if candidates.is_some_and(|candidates| candidates[row] == 0) {
                        return;
                    }
                    let document = self.state.document(chunk * ROWS + row);
                    out[row] = u8::from(document.is_some_and(|document| {
                        let is = |(leaf, want): &(&_, _)| {
                            eval::eval_predicate(leaf, test.profile, Document::new(&document))
                                == *want
                        };
                        is(&(test.leaf, test.want)) && leaf.also.iter().all(is)
                    }));
                });
            }
        }
        Ok(())
    }

    fn inherit(
        &self,
        inherited: &super::plan::Inheritance,
        one_value: bool,
        chunk: usize,
        out: &mut Mask,
    ) {
        if inherited.values.is_empty() {
            return;
        }
        // Rows that have the attribute themselves, or whose attributes are no object, inherit nothing.
        let mut closed = Box::new([0; ROWS]);
        if let Some(piece) = inherited.own.and_then(|node| self.piece(node, chunk)) {
            piece
                .lanes
                .iter()
                .for_each(|lane| lane.select_all(&mut closed));
        }
        if let Some(piece) = self
            .state
            .attributes
            .and_then(|node| self.piece(node, chunk))
        {
            for lane in &piece.lanes {
                match lane {
                    Lane::Tags(tags) => {
                        tags.select(i64::MIN, TAG_OBJECT - 1, &mut closed);
                        tags.select(TAG_OBJECT + 1, i64::MAX, &mut closed);
                    }
                    other => other.select_all(&mut closed),
                }
            }
        }
        let (from, to) = ((chunk * ROWS) as u32, ((chunk + 1) * ROWS - 1) as u32);
        for (rows, accepted) in &inherited.values {
            for row in rows.range(from..=to) {
                let at = (row - from) as usize;
                if closed[at] == 0 {
                    closed[at] = 1;
                    // Where one value counts, the inherited one replaces "undefined"; where any does, it is one more.
                    if *accepted || one_value {
                        out[at] = u8::from(*accepted);
                    }
                }
            }
        }
    }

    /// Whether selecting a leaf's rows only ever adds rows to a mask.
    fn only_adds(&self, leaf: &Leaf<'_>, chunk: usize) -> bool {
        !leaf.contains
            && leaf.inherited.is_empty()
            && !leaf
                .opaque
                .iter()
                .any(|node| self.piece(*node, chunk).is_some_and(has_json))
    }

    /// What decides a leaf in a chunk, where one range of one lane does.
    fn deciding<'a>(&'a self, leaf: &Leaf<'_>, chunk: usize) -> Option<Deciding<'a>> {
        let ([node], [], [codes], false) = (
            &leaf.nodes[..],
            &leaf.elements[..],
            &leaf.codes[..],
            leaf.test.undefined,
        ) else {
            return None;
        };
        if !self.only_adds(leaf, chunk) {
            return None;
        }
        let Some(piece) = self.piece(*node, chunk) else {
            return Some(Deciding::Nothing);
        };
        let mut lanes = piece.lanes.iter().filter(|lane| !skips(lane, leaf, codes));
        let Some(lane) = lanes.next() else {
            return Some(Deciding::Nothing);
        };
        if lanes.next().is_some() {
            return None;
        }
        match (lane, &leaf.test.numbers, &leaf.bounds[..], codes) {
            (Lane::Ints(ints), Numbers::Ranges(_), [bounds], _) => {
                let (low, high) = bounds.integers;
                Some(Deciding::Range(ints, low, high))
            }
            (Lane::Floats(floats), Numbers::Ranges(_), [bounds], _) => {
                let (low, high) = bounds.floats(floats.form());
                Some(Deciding::Range(&floats.ints, low, high))
            }
            (Lane::Codes(held), _, _, Codes::Runs(runs)) => match runs[..] {
                [(low, high)] => Some(Deciding::Range(held, low, high)),
                _ => None,
            },
            _ => None,
        }
    }

    fn lanes(
        &self,
        piece: &Piece,
        leaf: &Leaf<'_>,
        codes: &Codes,
        out: &mut Mask,
    ) -> Result<(), IndexError> {
        let test = &leaf.test;
        for lane in &piece.lanes {
            if skips(lane, leaf, codes) {
                continue;
            }
            self.spend(lane.count() as u64)?;
            match lane {
                Lane::Tags(tags) => {
                    for (tag, accepted) in [
                        (TAG_NULL, test.null),
                        (TAG_FALSE, test.no),
                        (TAG_TRUE, test.yes),
                        (TAG_OBJECT, test.object),
                    ] {
                        if accepted {
                            tags.select(tag, tag, out);
                        }
                    }
                    if test.array {
                        tags.select(TAG_ARRAY, i64::MAX, out);
                    }
                }
                Lane::Ints(ints) => match &test.numbers {
                    Numbers::Ranges(_) => {
                        for bounds in &leaf.bounds {
                            ints.select(bounds.integers.0, bounds.integers.1, out);
                        }
                    }
                    #[allow(clippy::cast_precision_loss, reason = "the evaluator compares doubles")]
                    Numbers::Each => ints.for_each(|row, value| {
                        out[row] |= u8::from(test.accepts_number(value as f64));
                    }),
                },
                Lane::Floats(floats) => match &test.numbers {
                    Numbers::Ranges(_) => {
                        for bounds in &leaf.bounds {
                            let (low, high) = bounds.floats(floats.form());
                            floats.ints.select(low, high, out);
                        }
                    }
                    Numbers::Each => floats
                        .for_each(|row, value| out[row] |= u8::from(test.accepts_number(value))),
                },
                Lane::Codes(held) => match codes {
                    Codes::None => {}
                    Codes::All => held.select(0, i64::MAX, out),
                    Codes::Runs(runs) => runs
                        .iter()
                        .for_each(|(low, high)| held.select(*low, *high, out)),
                    Codes::Marked { table, .. } => held.select_marked(table, out),
                },
                Lane::Texts(texts) => match &test.strings {
                    Strings::None => {}
                    Strings::All => texts.select_all(out),
                    Strings::OneOf(wanted) => wanted
                        .iter()
                        .for_each(|text| texts.for_each_equal(text, |row| out[row] = 1)),
                    Strings::Prefix(prefix) => texts.select_prefix(prefix, out),
                    Strings::NoneOf(_) | Strings::Each => {
                        texts.for_each(|row, text| out[row] |= u8::from(test.accepts_text(text)));
                    }
                },
                // Judged as a whole.
                Lane::Json(_) => {}
            }
        }
        Ok(())
    }

    /// How many rows of a chunk the plan selects.
    pub(crate) fn count(
        &self,
        plan: &Plan<'_>,
        chunk: usize,
        mask: &mut Mask,
    ) -> Result<usize, IndexError> {
        match plan {
            Plan::Leaf(leaf) => {
                if let Some(count) = self.count_leaf(leaf, chunk)? {
                    return Ok(count);
                }
            }
            // The last of several need not be written down.
            Plan::All(children) => {
                if let [first, middle @ .., Plan::Leaf(last)] = &children[..]
                    && let Some(deciding) = self.deciding(last, chunk)
                {
                    let Deciding::Range(ints, low, high) = deciding else {
                        return Ok(0);
                    };
                    mask.fill(0);
                    self.select(first, chunk, None, mask)?;
                    for child in middle {
                        self.keep(child, chunk, mask)?;
                    }
                    self.spend(ints.count() as u64)?;
                    return Ok(ints.count_within(low, high, mask, 1));
                }
            }
            Plan::Any(children) => {
                if let [first @ .., Plan::Leaf(last)] = &children[..]
                    && let Some(deciding) = self.deciding(last, chunk)
                {
                    mask.fill(0);
                    self.select_any(first, chunk, None, mask)?;
                    let others = kernel::total(mask);
                    let Deciding::Range(ints, low, high) = deciding else {
                        return Ok(others);
                    };
                    self.spend(ints.count() as u64)?;
                    return Ok(others + ints.count_within(low, high, mask, 0));
                }
            }
            _ => {}
        }
        mask.fill(0);
        self.select(plan, chunk, None, mask)?;
        Ok(kernel::total(mask))
    }

    /// Counts without a mask where lanes hold each row once: one column, ranges and codes only.
    fn count_leaf(&self, leaf: &Leaf<'_>, chunk: usize) -> Result<Option<usize>, IndexError> {
        let ([node], [], false, true) = (
            &leaf.nodes[..],
            &leaf.elements[..],
            leaf.test.undefined || leaf.contains,
            leaf.inherited.is_empty(),
        ) else {
            return Ok(None);
        };
        if leaf
            .opaque
            .iter()
            .any(|node| self.piece(*node, chunk).is_some_and(has_json))
        {
            return Ok(None);
        }
        let Some(piece) = self.piece(*node, chunk) else {
            return Ok(Some(0));
        };
        let Some(codes) = leaf.codes.first() else {
            return Ok(None);
        };
        let mut total = 0;
        for lane in &piece.lanes {
            if skips(lane, leaf, codes) {
                continue;
            }
            self.spend(lane.count() as u64)?;
            total += match (lane, &leaf.test.numbers) {
                (Lane::Ints(ints), Numbers::Ranges(_)) => leaf
                    .bounds
                    .iter()
                    .map(|b| ints.count_in(b.integers.0, b.integers.1))
                    .sum::<usize>(),
                (Lane::Floats(floats), Numbers::Ranges(_)) => leaf
                    .bounds
                    .iter()
                    .map(|bounds| {
                        let (low, high) = bounds.floats(floats.form());
                        floats.ints.count_in(low, high)
                    })
                    .sum::<usize>(),
                (Lane::Codes(held), _) => match codes {
                    Codes::None => 0,
                    Codes::All => held.count(),
                    Codes::Runs(runs) => runs
                        .iter()
                        .map(|(low, high)| held.count_in(*low, *high))
                        .sum(),
                    Codes::Marked { table, .. } => held.count_marked(table),
                },
                (Lane::Texts(texts), _) => match &leaf.test.strings {
                    Strings::All => texts.count(),
                    Strings::OneOf(wanted) => {
                        let mut count = 0;
                        for text in wanted {
                            texts.for_each_equal(text, |_| count += 1);
                        }
                        count
                    }
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            };
        }
        Ok(Some(total))
    }
}

/// What one lane says about a leaf.
enum Deciding<'a> {
    /// No row of the chunk is accepted.
    Nothing,
    /// The rows whose value lies in a range.
    Range(&'a super::ints::Ints, i64, i64),
}

fn has_json(piece: &Piece) -> bool {
    piece.lanes.iter().any(|lane| matches!(lane, Lane::Json(_)))
}

/// Whether nothing of a lane can be accepted.
fn skips(lane: &Lane, leaf: &Leaf<'_>, codes: &Codes) -> bool {
    let test: &Test<'_> = &leaf.test;
    let no_numbers = matches!(test.numbers, Numbers::Ranges(_)) && leaf.bounds.is_empty();
    match lane {
        Lane::Tags(_) => !(test.null || test.no || test.yes || test.object || test.array),
        Lane::Ints(_) | Lane::Floats(_) => no_numbers,
        Lane::Codes(_) => matches!(codes, Codes::None),
        Lane::Texts(_) => matches!(test.strings, Strings::None),
        Lane::Json(_) => true,
    }
}
