//! Several things at once, in a known order: each is begun in the order given, and all are waited for.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

enum One<F: Future> {
    Running(Pin<Box<F>>),
    Done(F::Output),
}

/// Begins all of them in order, and answers what came of each in the same order.
pub(super) async fn together<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<One<F>> = futures.into_iter().map(|future| One::Running(Box::pin(future))).collect();
    poll_fn(|context| {
        let mut open = false;
        for one in &mut all {
            let One::Running(future) = one else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *one = One::Done(output),
                Poll::Pending => open = true,
            }
        }
        if open { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    let done = |one| match one {
        One::Done(output) => Some(output),
        One::Running(_) => None,
    };
    all.into_iter().filter_map(done).collect()
}
