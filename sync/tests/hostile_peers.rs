//! Stories of peers that lie, flood, or fall silent beside honest ones: what an honest peer wrote arrives all the
//! same, and how much later.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its failure report")]

mod common;

use bytes::Bytes;
use common::{GROUP, Story, config, reconcile};
use offerbench_algos::ItemId;
use offerbench_sync::{
    Acks, Backoff, Config, Content, Datagram, Delivery, Limits, MsgNo, Offer, Payload, PeerId, Refusal,
    Segment, Span, Time, WireMessage,
};

const SYNC_HEADER: u8 = 0;

/// Node `hostile` is away for good; what it "sends" is made by hand.
fn silence(story: &mut Story, hostile: usize) {
    let now = story.now;
    story.nodes[hostile].handle_offline(now);
    story.wire.retain(|flying| flying.from != PeerId(hostile as u32) && flying.to != PeerId(hostile as u32));
}

fn inject(story: &mut Story, from: u32, to: usize, payload: Payload) {
    let mut bytes = Vec::new();
    Datagram::Sync(payload).encode(&mut bytes);
    assert_eq!(bytes[0], SYNC_HEADER);
    let now = story.now;
    story.nodes[to].handle_payload(&mut story.library, now, PeerId(from), &bytes).unwrap();
    story.collect();
}

/// A step of a story in which nothing reaches these nodes.
fn step_without(story: &mut Story, deaf: &[u32]) -> bool {
    story.wire.retain(|flying| !deaf.contains(&flying.to.0));
    story.step()
}

fn id_of(story: &Story, no: MsgNo) -> Bytes {
    Bytes::copy_from_slice(story.library.id(no).bytes())
}

fn offer(ids: impl IntoIterator<Item = Bytes>) -> Payload {
    Payload { offers: ids.into_iter().collect(), ..Payload::default() }
}

fn bogus(n: u64) -> Bytes {
    let mut id = [0xee; 32];
    id[..8].copy_from_slice(&n.to_le_bytes());
    Bytes::copy_from_slice(&id)
}

/// A message that is not in the story's library yet.
fn message_of(at: u64, parents: Vec<Bytes>) -> (WireMessage, Bytes) {
    let body = Content::to_body(parents, b"by hand");
    let id = ItemId::of_message(&GROUP.0, at, &body);
    let message = WireMessage { group_id: Bytes::copy_from_slice(&GROUP.0), timestamp: at as i64, body };
    (message, Bytes::copy_from_slice(id.bytes()))
}

/// Steps until node `to` holds a message; how long that took.
fn wait_for(story: &mut Story, to: usize, no: MsgNo, deaf: &[u32], at_most: Span) -> Span {
    let start = story.now;
    while !story.nodes[to].holds(no) {
        assert!(step_without(story, deaf), "nothing ever happens again, and the message is not there");
        assert!(story.now.since(start) <= at_most, "not there after {} ms", story.now.since(start).as_ms());
    }
    story.now.since(start)
}

/// 0 is honest, 1 the one in the middle, 2 hostile; 1 is linked to both.
fn trio(config: Config) -> Story {
    Story::of(vec![config; 3], |a, b| a == 1 || b == 1)
}

#[test]
fn a_peer_that_offers_all_and_delivers_nothing_delays_by_one_timeout() {
    let mut story = trio(config(Offer::Interactive));
    silence(&mut story, 2);
    let no = story.write(0, "hello");
    // The hostile offer comes first.
    let id = id_of(&story, no);
    inject(&mut story, 2, 1, offer([id]));
    let took = wait_for(&mut story, 1, no, &[2], Span::from_s(5));
    // 8 epochs until the request is late, one more for each flight.
    assert!(took >= Span::from_ms(700) && took <= Span::from_ms(1400), "{took:?}");
}

#[test]
fn an_honest_offer_is_taken_up_at_once_when_the_first_has_long_been_late() {
    // A phone that offered and fell asleep; whoever comes next need not wait for the longest back-off.
    let mut story = trio(config(Offer::Interactive));
    silence(&mut story, 2);
    story.nodes[0].handle_offline(story.now);
    let no = story.write(0, "hello");
    let id = id_of(&story, no);
    inject(&mut story, 2, 1, offer([id]));
    while story.now < Time::ZERO + Span::from_s(20) {
        assert!(step_without(&mut story, &[2]));
    }
    let now = story.now;
    story.nodes[0].handle_online(now);
    story.collect();
    let took = wait_for(&mut story, 1, no, &[2], Span::from_s(60));
    assert!(took <= Span::from_ms(500), "{} ms", took.as_ms());
}

#[test]
fn a_request_that_moves_to_a_peer_with_too_many_is_not_forgotten() {
    let mut small = config(Offer::Interactive);
    small.limits.requests_max = 3;
    let mut story = trio(small);
    silence(&mut story, 2);
    let no = story.write(0, "hello");
    let id = id_of(&story, no);
    // The honest offer arrives, its request is lost; meanwhile the hostile one has offered the same, and enough
    // of what does not exist to fill its own list.
    while story.nodes[1].pending().1 == 0 {
        assert!(step_without(&mut story, &[2]));
    }
    story.lose_all();
    inject(&mut story, 2, 1, offer([bogus(1), bogus(2), bogus(3), id]));
    wait_for(&mut story, 1, no, &[2], Span::from_s(60));
    assert_eq!(story.nodes[1].over_bounds(), None);
}

#[test]
fn who_sent_a_child_is_not_taken_to_hold_the_parent() {
    // 0 sent the child without having the parent; 2 brings the parent; 0 gets it of 1.
    let causal = Config { delivery: Delivery::Causal, ..config(Offer::Batch) };
    let mut story = Story::of(vec![causal; 3], |a, b| a == 1 || b == 1);
    let (parent, parent_id) = message_of(1, Vec::new());
    let (child, child_id) = message_of(2, vec![parent_id.clone()]);
    // Somebody who is gone since has given 0 the child alone: here it is 1 itself whose parent message was lost.
    silence(&mut story, 2);
    inject(&mut story, 1, 0, Payload { messages: vec![child], ..Payload::default() });
    // Whatever 0 asks is lost until 1 has the child of it; 0 believes 1 to have it, so the ack is told by hand.
    story.lose_all();
    let (child, _) = message_of(2, vec![parent_id.clone()]);
    inject(&mut story, 0, 1, Payload { messages: vec![child], ..Payload::default() });
    story.until(story.now + Span::from_ms(150));
    story.lose_all();
    inject(&mut story, 2, 1, Payload { messages: vec![parent], ..Payload::default() });
    let find = |story: &Story, id: &Bytes| {
        (0..story.library.len() as u32)
            .map(MsgNo)
            .find(|no| story.library.id(*no).bytes()[..] == id[..])
            .unwrap()
    };
    let (parent, child) = (find(&story, &parent_id), find(&story, &child_id));
    // The next payload to 0 must carry it, without being asked.
    let end = story.now + Span::from_s(2);
    let mut given = false;
    while story.now < end && !given {
        given = story.wire.iter().any(|flying| {
            flying.to == PeerId(0)
                && flying.sync().messages.iter().any(|message| {
                    ItemId::of_message(&GROUP.0, message.timestamp as u64, &message.body)
                        == story.library.message(parent).item.id
                })
        });
        // 0 asks for it, too; those requests do not arrive.
        story.wire.retain(|flying| flying.from != PeerId(0) && flying.to != PeerId(2));
        if !given && !story.step() {
            break;
        }
    }
    assert!(given, "1 takes 0 to hold a parent that it never offered");
    assert!(story.nodes[1].has_delivered(child));
}

#[test]
fn a_flood_of_offers_is_held_to_its_bounds() {
    let mut story = trio(config(Offer::Interactive));
    silence(&mut story, 2);
    let limit = Limits::default().requests_max;
    for n in 0..4 {
        inject(&mut story, 2, 1, offer((0..5000).map(|i| bogus(n * 5000 + i))));
        assert_eq!(story.nodes[1].over_bounds(), None);
    }
    assert_eq!(story.nodes[1].pending().1, limit);
    assert!(story.nodes[1].state_bytes() < limit * 256);
    assert_eq!(story.nodes[1].stats().refused(Refusal::RequestsFull), 20_000 - limit as u64);
    let no = story.write(0, "hello");
    wait_for(&mut story, 1, no, &[2], Span::from_s(1));
    // In the end nobody is asked any more.
    let end = story.now + Span::from_s(600);
    while story.next().is_some_and(|next| next < end) {
        step_without(&mut story, &[2]);
    }
    assert_eq!(story.nodes[1].pending().1, 0);
    assert_eq!(story.nodes[1].stats().refused(Refusal::RequestGivenUp), limit as u64);
}

#[test]
fn a_full_receive_buffer_does_not_stop_what_comes_in_order() {
    let mut causal = Config { delivery: Delivery::Causal, ..config(Offer::Batch) };
    causal.limits.waiting_max = 4;
    let mut story = trio(causal);
    silence(&mut story, 2);
    for n in 0..10 {
        let (message, _) = message_of(n, vec![bogus(n)]);
        inject(&mut story, 2, 1, Payload { messages: vec![message], ..Payload::default() });
        assert_eq!(story.nodes[1].over_bounds(), None);
    }
    assert_eq!(story.nodes[1].stats().refused(Refusal::WaitingFull), 6);
    let all: Vec<MsgNo> = (0..20).map(|n| story.write(0, &n.to_string())).collect();
    for no in all {
        wait_for(&mut story, 1, no, &[2], Span::from_s(2));
        assert_eq!(story.delivered(1, no), 1);
    }
}

#[test]
fn acks_speak_only_for_their_sender() {
    let after = Span::from_ms(300);
    for acks in [Acks::Immediate, Acks::Ancestors { after }, Acks::SetHash { after }] {
        let mut story = trio(Config { acks, ..config(Offer::Batch) });
        silence(&mut story, 2);
        let no = story.write(1, "hello");
        let id = id_of(&story, no);
        let lie = Payload {
            acks: vec![id.clone()],
            past_acks: vec![id.clone()],
            set_acks: (0..99).collect(),
            ..Payload::default()
        };
        inject(&mut story, 2, 1, lie);
        story.lose_all();
        wait_for(&mut story, 0, no, &[2], Span::from_s(5));
    }
}

/// The two honest ends of a link, both with a hostile neighbour that keeps their sessions alive with bare acks
/// and never says anything.
#[test]
fn sessions_that_never_end_do_not_stop_the_others() {
    // 0 is hostile to 1 and 2. Both begin with it, and ask one at a time.
    let mut story = Story::new(3, config(reconcile("range")));
    let mut live = [None; 3];
    for flying in story.wire.iter().filter(|flying| flying.to == PeerId(0)) {
        live[flying.from.0 as usize] = flying.sync().segments.first().map(|segment| segment.session);
    }
    assert!(live[0].is_none() && live[1].is_some() && live[2].is_some());
    silence(&mut story, 0);
    let no = story.write(1, "hello");
    let end = Time::ZERO + Span::from_s(1000);
    while !story.nodes[2].holds(no) && story.now < end {
        let next = story.now + Span::from_s(10);
        loop {
            // Later ones are kept alive, too.
            for flying in story.wire.iter().filter(|flying| flying.to == PeerId(0)) {
                let segments = flying.sync().segments;
                let last = segments.iter().rfind(|segment| segment.end == 0).map(|segment| segment.session);
                live[flying.from.0 as usize] = last.or(live[flying.from.0 as usize]);
            }
            story.wire.retain(|flying| flying.to != PeerId(0));
            if story.next().is_none_or(|time| time > next) {
                break;
            }
            story.step();
        }
        story.now = next;
        for (to, session) in live.iter().enumerate().skip(1) {
            let segment = Segment { session: session.unwrap(), ..Segment::default() };
            inject(&mut story, 0, to, Payload { segments: vec![segment], ..Payload::default() });
        }
    }
    assert!(story.nodes[2].holds(no), "two honest peers never speak");
    // They have their turn when the longest session is over.
    assert!(story.now <= Time::ZERO + Span::from_s(620), "{}", story.now);
}

#[test]
fn a_flood_of_openings_costs_a_session_a_payload() {
    let mut story = trio(config(reconcile("range")));
    silence(&mut story, 2);
    // The name of the strategy, from an honest opening.
    let strategy =
        story.wire.iter().flat_map(|flying| flying.sync().segments).map(|s| s.strategy).max().unwrap();
    let opening = |n: u32| Segment {
        group: Bytes::copy_from_slice(&GROUP.0),
        session: n << 1 | 1,
        seq: 1,
        strategy,
        frame: Bytes::from_static(&[0xff]),
        ..Segment::default()
    };
    let before = story.nodes[1].stats().sessions_failed;
    let segments: Vec<Segment> = (1..4000).map(opening).collect();
    inject(&mut story, 2, 1, Payload { segments, ..Payload::default() });
    assert!(story.nodes[1].stats().sessions_failed - before <= 2);
    assert_eq!(story.nodes[1].over_bounds(), None);
    let no = story.write(0, "hello");
    wait_for(&mut story, 1, no, &[2], Span::from_s(400));
}

/// Acks that are not due yet and a message that has no room beside them: time must pass, and then it goes.
#[test]
fn a_message_without_room_waits_for_the_next_epoch() {
    let mut tight = config(Offer::Batch);
    tight.acks = Acks::Delayed { after: Span::from_s(3) };
    tight.limits.payload_len_max = 1200;
    tight.limits.body_len_max = 1100;
    let mut story = Story::new(2, tight);
    let text = "x".repeat(800);
    for n in 0..30 {
        let (message, _) = message_of(n, Vec::new());
        inject(&mut story, 1, 0, Payload { messages: vec![message], ..Payload::default() });
    }
    let no = story.write(0, &text);
    wait_for(&mut story, 1, no, &[], Span::from_s(10));
}

/// What was refused is told within the room of the payload.
#[test]
fn no_payload_is_longer_than_allowed() {
    let mut tight = config(Offer::Interactive);
    tight.limits.payload_len_max = 512;
    let mut story = trio(tight);
    silence(&mut story, 2);
    let ends = |n: u32| (n..n + 8).map(|n| Segment { session: u32::MAX - n, seq: 1, ..Segment::default() });
    for n in 0..20 {
        let payload = Payload {
            offers: vec![bogus(u64::from(n))],
            segments: ends(n * 8).collect(),
            ..Payload::default()
        };
        inject(&mut story, 2, 1, payload);
    }
    for _ in 0..20 {
        assert!(story.wire.iter().all(|flying| flying.bytes.len() <= 512));
        inject(&mut story, 2, 1, Payload { segments: ends(0).collect(), ..Payload::default() });
        step_without(&mut story, &[]);
        if story.nodes[1].pending().1 == 0 {
            break;
        }
    }
}

#[test]
fn nodes_that_refuse_each_other_do_not_talk_without_end() {
    let mut story = Story::of(vec![config(reconcile("range")), config(reconcile("riblt"))], |_, _| true);
    story.until(Time::ZERO + Span::from_s(3600));
    assert!(story.sent < 200, "{}", story.sent);
    // Not the fault of a message either.
    let backoff = Backoff { first: 1, longest: 1, again: 1 };
    let mixed = [config(Offer::Batch), Config { backoff, ..config(reconcile("riblt")) }];
    let mut story = Story::of(mixed.to_vec(), |_, _| true);
    for n in 0..100 {
        story.write(0, &n.to_string());
        story.until(story.now + Span::from_s(1));
    }
    assert_eq!(story.nodes[1].held(), 100);
}
