//! Steady load: a number of clients, each with a connection that stays, and a mixture of good and bad tokens.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use e2e::http1;

use crate::times::Clock;
use crate::tokens::Stock;
use crate::verdict::{Answer, Asked, Brought};

/// Envoy spreads them evenly over its workers (see the module `house`).
pub(crate) const CONNECTIONS: usize = 16;

/// Between two requests of one client: 16 clients make 320 requests a second.
const PERIOD: Duration = Duration::from_millis(50);

/// What there is to send. What is not there is replaced by good tokens.
#[derive(Clone)]
pub(crate) struct Wares {
    pub(crate) good: Stock,
    pub(crate) partner: Stock,
    pub(crate) forged: Stock,
    /// Tokens of the key that was removed last.
    pub(crate) retired: Option<Stock>,
    pub(crate) strangers: Option<Stock>,
}

/// The running clients. Dropping it ends them.
pub(crate) struct Load {
    wares: Arc<Mutex<Wares>>,
    lines: Vec<Arc<Line>>,
    stopping: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

/// What one client has seen.
#[derive(Default)]
struct Line {
    asked: Mutex<Vec<Asked>>,
    /// The last challenge: it names the realm, and with that the configuration that answered.
    challenge: Mutex<String>,
}

impl Load {
    /// Starts the clients.
    pub(crate) fn start(clock: Clock, gate: SocketAddr, wares: Wares) -> Self {
        let wares = Arc::new(Mutex::new(wares));
        let stopping = Arc::new(AtomicBool::new(false));
        let mut lines = Vec::new();
        let mut clients = Vec::new();
        for number in 0..CONNECTIONS {
            let line = Arc::new(Line::default());
            lines.push(Arc::clone(&line));
            let client = Client {
                clock,
                gate,
                number,
                stream: None,
            };
            let (wares, stopping) = (Arc::clone(&wares), Arc::clone(&stopping));
            clients.push(std::thread::spawn(move || {
                client.run(&wares, &line, &stopping);
            }));
        }
        Self {
            wares,
            lines,
            stopping,
            clients,
        }
    }

    /// Changes what is sent from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Wares)) {
        change(&mut lock(&self.wares));
    }

    /// What was asked since this was called last.
    pub(crate) fn take(&self) -> Vec<Asked> {
        let taken = self
            .lines
            .iter()
            .map(|line| std::mem::take(&mut *lock(&line.asked)));
        taken.flatten().collect()
    }

    /// Whether every connection has last been challenged in that realm.
    pub(crate) fn has_met(&self, realm: &str) -> bool {
        let realm = format!("realm=\"{realm}\"");
        self.lines
            .iter()
            .all(|line| lock(&line.challenge).contains(&realm))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        for client in self.clients.drain(..) {
            drop(client.join());
        }
    }
}

struct Client {
    clock: Clock,
    gate: SocketAddr,
    number: usize,
    stream: Option<TcpStream>,
}

impl Client {
    fn run(mut self, wares: &Mutex<Wares>, line: &Line, stopping: &AtomicBool) {
        // Not all at once.
        let share = u32::try_from(self.number).unwrap_or(0);
        let mut next = self.clock.now() + PERIOD * share / 16;
        // Nor all the same.
        let mut turn = self.number * 131;
        while !stopping.load(Ordering::SeqCst) {
            std::thread::sleep(next.saturating_sub(self.clock.now()));
            let (brought, token) = pick(&lock(wares), turn);
            turn += 1;
            let sent = self.clock.now();
            let (answer, challenge) = match self.ask(token.as_deref()) {
                Ok((answer, challenge)) => (answer, challenge),
                Err(_) => {
                    self.stream = None;
                    (Answer::Broken, None)
                }
            };
            let answered = self.clock.now();
            lock(&line.asked).push(Asked {
                connection: self.number,
                brought,
                sent,
                answered,
                answer,
            });
            if let Some(challenge) = challenge {
                *lock(&line.challenge) = challenge;
            }
            // A client that had to wait does not make up for it.
            next = (next + PERIOD).max(answered);
        }
    }

    /// One request on the connection that stays, and what its answer says.
    fn ask(&mut self, token: Option<&str>) -> Result<(Answer, Option<String>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(http1::connect(self.gate)?),
        };
        let credential = token
            .map(|token| format!("authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let request = format!("GET /timesheets HTTP/1.1\r\nhost: drill\r\n{credential}\r\n");
        stream.write_all(request.as_bytes())?;
        let answer = http1::read_answer(stream, false)?;
        let is_upstreams = !answer.header("x-upstream").is_empty();
        let challenge = answer
            .header("www-authenticate")
            .first()
            .map(|text| (*text).to_owned());
        Ok(match answer.status {
            200 if is_upstreams => (Answer::Allowed, challenge),
            status => (Answer::Status(status), challenge),
        })
    }
}

/// What a client sends in that turn. Of ten requests one each has a token of the partner's, a forged one, none, a retired one and a
/// stranger; of the others most are the same token each time.
fn pick(wares: &Wares, turn: usize) -> (Brought, Option<String>) {
    let good = Some(&wares.good);
    let stock = match turn % 10 {
        0 => Some(&wares.partner),
        3 => Some(&wares.forged),
        5 => None,
        7 => wares.retired.as_ref().or(good),
        9 => wares.strangers.as_ref().or(good),
        _ => good,
    };
    let round = turn / 10;
    // Of the retired ones too half are the token that every worker has accepted and remembers.
    let is_repeated = match turn % 10 {
        7 => round.is_multiple_of(2),
        place => place.is_multiple_of(2),
    };
    // Coprime to the sizes of the stocks, so that in time all of a stock is sent.
    let place = match is_repeated {
        true => 0,
        false => round * 7,
    };
    let token = stock.and_then(|stock| stock.get(place % stock.len().max(1)));
    match token {
        Some(token) => (token.brought, Some(token.text.clone())),
        None => (Brought::Nothing, None),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tokens::Token;
    use crate::verdict::Issuer;

    fn stock(brought: Brought, count: usize) -> Stock {
        let token = |number: usize| Token {
            brought,
            text: number.to_string(),
        };
        Arc::new((0..count).map(token).collect())
    }

    #[test]
    fn everything_there_is_gets_sent() {
        let good = Brought::Sound(Issuer::Tenant, 2);
        let wares = Wares {
            good: stock(good, 200),
            partner: stock(Brought::Sound(Issuer::Partner, 1), 20),
            forged: stock(Brought::Forged(1), 20),
            retired: Some(stock(Brought::Sound(Issuer::Tenant, 1), 20)),
            strangers: Some(stock(Brought::Stranger, 20)),
        };
        let turns = || (0..1_000).map(|turn| pick(&wares, turn));
        let count = |wanted| turns().filter(|(brought, _)| *brought == wanted).count();
        assert_eq!(count(good), 500);
        for other in [
            Brought::Sound(Issuer::Partner, 1),
            Brought::Sound(Issuer::Tenant, 1),
            Brought::Forged(1),
            Brought::Stranger,
            Brought::Nothing,
        ] {
            assert_eq!(count(other), 100, "{other:?}");
        }
        let repeated =
            turns().filter(|(brought, token)| *brought == good && token.as_deref() == Some("0"));
        assert!(repeated.count() >= 400);
        let old = Brought::Sound(Issuer::Tenant, 1);
        let remembered =
            turns().filter(|(brought, token)| *brought == old && token.as_deref() == Some("0"));
        assert!(remembered.count() >= 50);
        let different: BTreeSet<_> = turns()
            .filter(|(brought, _)| *brought == good)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(_, token)| token)
            .collect();
        assert!(different.len() > 50, "{}", different.len());
    }
}
