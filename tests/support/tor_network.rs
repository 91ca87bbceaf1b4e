//! A private Tor network on loopback, made of Debian's `tor`: one authority, five relays and one
//! client with a SOCKS port. Nothing leaves the machine.
//!
//! It is started once per test binary and ended with it, by process id, also when the tests are
//! killed: see [`Keeper`]. Each node has its own /16 inside 127.0.0.0/8, so that no rule against
//! relays on one network has to be relaxed; the rest of the address and the ports are unlike those
//! of other test runs, so that several can go on at once.
//!
//! Needs `tor`, `tor-gencert` (Debian package `tor`) and `sh`.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Relays beside the authority. Six nodes in all are what full vanguards and a rendezvous need.
const RELAYS: u8 = 5;
/// Seconds between two consensuses.
const VOTING: u32 = 20;
/// C-tor's onion time period in a testing network is 24 voting intervals; arti takes the consensus
/// parameter, in minutes. They must agree, or clients look under other keys than services publish.
const TIME_PERIOD_MINUTES: u32 = 24 * VOTING / 60;
/// How long everybody waits for a circuit. Left to themselves they begin with a minute, which one
/// lost circuit then costs, learn how fast circuits are here, and give up early when the machine is
/// busy.
const CIRCUIT_MILLIS: u32 = 10_000;
/// How long the network may take to come up. About 25 s on an idle machine: a consensus is made every
/// [`VOTING`] seconds, and relays ask for it less and less often while there is none.
const START_LIMIT: Duration = Duration::from_secs(300);
/// The percentage in a node's log when it can build circuits ("enough_dirinfo"). A node may go past it
/// without a word, when other relays have built circuits to it meanwhile.
const ENOUGH_DIRINFO: u8 = 75;
/// The addresses, as [`node_address`] counts them, of the SOCKS ports: there, unlike on 127.0.0.1, no
/// outgoing connection takes a port between its choice and its use.
const CLIENT_ADDRESS: u8 = RELAYS + 1;

/// A running network.
pub struct TorNetwork {
    dir: PathBuf,
    authority: Authority,
    socks: SocketAddr,
    /// Keeps the nodes until it is dropped.
    _keeper: Keeper,
}

struct Authority {
    address: IpAddr,
    or_port: u16,
    dir_port: u16,
    /// The fingerprint of its signing identity.
    v3_identity: String,
    /// The fingerprint of its relay identity.
    rsa_identity: String,
}

/// A shell that waits for the end of this process (its standard input closes then, come what may),
/// stops the nodes and removes their files.
struct Keeper {
    shell: Child,
    nodes: Vec<Child>,
}

/// An onion service that C-tor runs; ends when dropped.
pub struct CTorService {
    /// Its host name.
    pub address: String,
    _tor: Killed,
}

/// A C-tor client that a restricted onion service may know; ends when dropped.
pub struct CTorClient {
    /// Its SOCKS port.
    pub socks: SocketAddr,
    _tor: Killed,
}

/// A process that is killed when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl TorNetwork {
    /// The network of this test binary. `None`, and a loud word about it, where there is no `tor`;
    /// with `REQUIRE_TOR=1` in the environment that is a failure.
    pub fn shared() -> Option<&'static Self> {
        static NETWORK: OnceLock<Option<TorNetwork>> = OnceLock::new();
        NETWORK
            .get_or_init(|| {
                if ["tor", "tor-gencert", "curl"].iter().all(|program| exists(program)) {
                    return Some(Self::start());
                }
                assert!(std::env::var_os("REQUIRE_TOR").is_none(), "REQUIRE_TOR is set, but tor or curl is missing");
                let text = "\n*** SKIPPED: the Tor tests need `tor` and `curl` (apt-get install tor curl) ***\n\n";
                // Not eprintln!, which the test harness hides.
                let _ = std::io::stderr().write_all(text.as_bytes());
                None
            })
            .as_ref()
    }

    /// The SOCKS port of the C-tor client.
    pub fn socks(&self) -> SocketAddr {
        self.socks
    }

    /// What points arti at this network: the content of `[onion.arti]`.
    pub fn arti(&self) -> toml::Table {
        let ed_identity = fs::read_to_string(self.dir.join("authority/fingerprint-ed25519")).unwrap();
        let ed_identity = ed_identity.split_whitespace().nth(1).unwrap();
        let Authority { address, or_port, v3_identity, rsa_identity, .. } = &self.authority;
        // By default arti takes a cached consensus up to three days old, and with it a time period
        // that is long over here.
        let text = format!(
            "[tor_network]\n\
             authorities = {{ v3idents = [\"{v3_identity}\"] }}\n\
             fallback_caches = [{{ rsa_identity = \"{rsa_identity}\", ed_identity = \"{ed_identity}\", \
             orports = [\"{address}:{or_port}\"] }}]\n\
             [directory_tolerance]\n\
             pre_valid_tolerance = \"2 minutes\"\n\
             post_valid_tolerance = \"2 minutes\"\n"
        );
        toml::from_str(&text).unwrap()
    }

    /// Lets C-tor publish an onion service on this network: each port with the address behind it.
    /// `name` has letters and digits only.
    pub fn onion_service(&self, name: &str, ports: &[(u16, SocketAddr)]) -> CTorService {
        let mut torrc = format!("SocksPort 0\nHiddenServiceDir {}/{name}/service\n", self.dir.display());
        for (port, target) in ports {
            torrc += &format!("HiddenServicePort {port} {target}\n");
        }
        let torrc = common_torrc(&self.dir, name, &self.authority) + &torrc;
        let mut tor = run_node(&self.dir, name, &torrc);
        let hostname = self.dir.join(name).join("service/hostname");
        let begun = Instant::now();
        while !hostname.exists() {
            assert!(begun.elapsed() < START_LIMIT, "tor wrote no host name");
            assert!(tor.try_wait().unwrap().is_none(), "tor ended: is the name {name:?} good for a nickname?");
            sleep(Duration::from_millis(50));
        }
        CTorService { address: fs::read_to_string(hostname).unwrap().trim().to_owned(), _tor: Killed(tor) }
    }

    /// A client of its own that has the private key of a restricted onion service: a line as in
    /// C-tor's `ClientOnionAuthDir`. `name` as for [`Self::onion_service`].
    pub fn client(&self, name: &str, key: &str) -> CTorClient {
        let socks = free_socks();
        let keys = self.dir.join(name).join("keys");
        make_dir(&keys);
        fs::write(keys.join("service.auth_private"), key).unwrap();
        let torrc = format!("SocksPort {socks}\nClientOnionAuthDir {}\n", keys.display());
        let tor = run_node(&self.dir, name, &(common_torrc(&self.dir, name, &self.authority) + &torrc));
        CTorClient { socks, _tor: Killed(tor) }
    }

    fn start() -> Self {
        let dir = std::env::temp_dir().join(format!("tor-network-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        make_dir(&dir);
        fs::write(dir.join("empty"), "").unwrap();
        let authority = Authority::create(&dir);
        let mut keeper = Keeper::start(&dir);
        let mut run = |name: &str, torrc: String| {
            let node = run_node(&dir, name, &(common_torrc(&dir, name, &authority) + &torrc));
            keeper.keep(node)
        };
        run("authority", authority.torrc());
        let relays = (1..=RELAYS).map(|number| format!("relay{number}"));
        let relays: Vec<_> = relays.zip(1..).map(|(name, number)| (run(&name, relay_torrc(number)), name)).collect();
        let begun = Instant::now();
        wait_for(begun, "a consensus with all relays", || consensus_is_complete(&dir));
        wait_for(begun, "the relays", || {
            let waiting = relays.iter().filter(|(_, name)| !knows_the_network(&dir, name));
            waiting.map(|(relay, _)| ask_again(*relay)).count() == 0
        });
        // A client that is there before the relays asks them in vain, and waits before it asks again.
        let socks = free_socks();
        run("client", format!("SocksPort {socks} ExtendedErrors\n"));
        wait_for(begun, "the client", || knows_the_network(&dir, "client"));
        Self { dir, authority, socks, _keeper: keeper }
    }
}

fn wait_for(begun: Instant, what: &str, condition: impl Fn() -> bool) {
    while !condition() {
        assert!(begun.elapsed() < START_LIMIT, "the private Tor network did not start: waited in vain for {what}");
        sleep(Duration::from_millis(500));
    }
}

fn consensus_is_complete(dir: &Path) -> bool {
    let consensus = fs::read_to_string(dir.join("authority/cached-microdesc-consensus")).unwrap_or_default();
    consensus.lines().filter(|line| line.starts_with("r ")).count() == usize::from(RELAYS) + 1
}

/// Whether the node can build circuits. Not whether it has built one ("Bootstrapped 100%"): a node
/// that nobody asks for anything may take minutes until it does.
fn knows_the_network(dir: &Path, name: &str) -> bool {
    let log = fs::read_to_string(dir.join(name).join("log")).unwrap_or_default();
    let progress = log.lines().filter_map(|line| line.split_once("Bootstrapped ")?.1.split_once('%')?.0.parse().ok());
    progress.max().unwrap_or(0) >= ENOUGH_DIRINFO
}

/// Lets a relay ask for the consensus and for what belongs to it at once: it asked when there was
/// none, and waits longer after each time.
fn ask_again(relay: u32) {
    let sent = Command::new("kill").args(["-HUP", &relay.to_string()]).status().unwrap();
    assert!(sent.success(), "a relay ended");
}

impl Authority {
    fn create(dir: &Path) -> Self {
        let (address, data) = (node_address(0), dir.join("authority"));
        let [or_port, dir_port] = free_ports(address);
        make_dir(&data);
        make_dir(&data.join("keys"));
        make_certificate(&data.join("keys"), SocketAddr::new(address, dir_port));
        let certificate = fs::read_to_string(data.join("keys/authority_certificate")).unwrap();
        let v3_identity = certificate.lines().find_map(|line| line.strip_prefix("fingerprint ")).unwrap().to_owned();
        let rsa_identity = relay_fingerprint(dir, &data);
        Self { address, or_port, dir_port, v3_identity, rsa_identity }
    }

    fn torrc(&self) -> String {
        let Self { address, or_port, dir_port, .. } = self;
        format!(
            "Address {address}\nORPort {address}:{or_port}\nDirPort {address}:{dir_port}\nSocksPort 0\n\
             ExitPolicy reject *:*\nAuthoritativeDirectory 1\nV3AuthoritativeDirectory 1\n\
             ContactInfo test@localhost\nAssumeReachable 1\nTestingAuthDirTimeToLearnReachability 0\n\
             AuthDirMaxServersPerAddr 0\nTestingMinFastFlagThreshold 0\nMinUptimeHidServDirectoryV2 0\n\
             ConsensusParams hsdir_interval={TIME_PERIOD_MINUTES} cbtmintimeout={CIRCUIT_MILLIS} \
             cbtinitialtimeout={CIRCUIT_MILLIS}\n"
        )
    }
}

impl Keeper {
    fn start(dir: &Path) -> Self {
        let script = "dir=$1; shift; while read -r pid; do set -- \"$@\" \"$pid\"; done; \
                      kill -INT \"$@\"; sleep 2; kill -KILL \"$@\"; rm -rf \"$dir\"";
        let shell = Command::new("sh")
            .args(["-c", script, "keeper"])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self { shell: shell.unwrap(), nodes: Vec::new() }
    }

    /// Has `node` stopped in the end; its process id.
    fn keep(&mut self, node: Child) -> u32 {
        let id = node.id();
        writeln!(self.shell.stdin.as_mut().unwrap(), "{id}").unwrap();
        self.nodes.push(node);
        id
    }
}

/// Lets C-tor read an onion service directory, without any network, and say its host name. Makes
/// the key when there is none.
pub fn c_tor_address(service_dir: &Path) -> String {
    let outer = service_dir.parent().unwrap();
    let hostname = service_dir.join("hostname");
    let _ = fs::remove_file(&hostname);
    let mut tor = Command::new("tor")
        .args(["--quiet", "--DisableNetwork", "1", "--SocksPort", "0", "--ignore-missing-torrc"])
        .arg("--defaults-torrc")
        .arg(outer.join("no-torrc"))
        .arg("-f")
        .arg(outer.join("no-torrc"))
        .arg("--DataDirectory")
        .arg(outer.join("tor-data"))
        .arg("--HiddenServiceDir")
        .arg(service_dir)
        .args(["--HiddenServicePort", "80 127.0.0.1:1"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !hostname.exists() {
        assert!(begun.elapsed() < START_LIMIT, "tor wrote no host name");
        assert!(tor.try_wait().unwrap().is_none(), "tor ended without a host name");
        sleep(Duration::from_millis(50));
    }
    tor.kill().unwrap();
    tor.wait().unwrap();
    fs::read_to_string(hostname).unwrap().trim().to_owned()
}

fn common_torrc(dir: &Path, name: &str, authority: &Authority) -> String {
    let Authority { address, or_port, dir_port, v3_identity, rsa_identity } = authority;
    format!(
        "TestingTorNetwork 1\nDataDirectory {dir}/{name}\nNickname {name}\nLog notice file {dir}/{name}/log\n\
         ShutdownWaitLength 1\nPathsNeededToBuildCircuits 0.25\n__OwningControllerProcess {pid}\n\
         TestingDirAuthVoteExit *\nTestingDirAuthVoteGuard *\nTestingDirAuthVoteHSDir *\n\
         TestingMinExitFlagThreshold 0\nTestingV3AuthInitialVotingInterval {VOTING}\n\
         TestingV3AuthInitialVoteDelay 2\nTestingV3AuthInitialDistDelay 2\nV3AuthVotingInterval {VOTING}\n\
         V3AuthVoteDelay 2\nV3AuthDistDelay 2\nV3AuthNIntervalsValid 3\n\
         DirAuthority authority orport={or_port} no-v2 v3ident={v3_identity} {address}:{dir_port} {rsa_identity}\n",
        dir = dir.display(),
        pid = std::process::id(),
    )
}

fn relay_torrc(number: u8) -> String {
    let address = node_address(number);
    let [port] = free_ports(address);
    format!(
        "Address {address}\nORPort {address}:{port}\nSocksPort 0\nAssumeReachable 1\nExitRelay 1\n\
         ExitPolicyRejectPrivate 0\nExitPolicy accept *:*\n\
         ContactInfo test@localhost\n"
    )
}

fn run_node(dir: &Path, name: &str, torrc: &str) -> Child {
    let data = dir.join(name);
    make_dir(&data);
    fs::write(data.join("torrc"), torrc).unwrap();
    let mut tor = Command::new("tor");
    tor.arg("--defaults-torrc").arg(dir.join("empty")).arg("-f").arg(data.join("torrc"));
    tor.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Makes the authority's long-term and signing keys.
fn make_certificate(keys: &Path, dir_address: SocketAddr) {
    let mut gencert = Command::new("tor-gencert")
        .args(["--create-identity-key", "-m", "12", "--passphrase-fd", "0", "-a", &dir_address.to_string()])
        .current_dir(keys)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    gencert.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(gencert.wait().unwrap().success(), "tor-gencert failed");
}

/// Makes a relay's identity in `data` and reads its fingerprint.
fn relay_fingerprint(dir: &Path, data: &Path) -> String {
    let output = Command::new("tor")
        .args(["--quiet", "--list-fingerprint", "--ORPort", "1", "--Address", "127.0.0.1", "--AssumeReachable", "1"])
        .args(["--Nickname", "authority", "--DirAuthority", &format!("x 127.0.0.1:1 {}", "f".repeat(40))])
        .arg("--DataDirectory")
        .arg(data)
        .arg("--defaults-torrc")
        .arg(dir.join("empty"))
        .arg("-f")
        .arg(dir.join("empty"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("authority ")).expect("a fingerprint from tor");
    line.replace(' ', "")
}

/// An address for a node: its own /16, and the rest from the process id.
fn node_address(number: u8) -> IpAddr {
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 100 + number, high, low.max(1)).into()
}

/// Ports that nobody listens on, unlike each other.
fn free_ports<const N: usize>(address: IpAddr) -> [u16; N] {
    let listeners: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind((address, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn free_socks() -> SocketAddr {
    let [port] = free_ports(node_address(CLIENT_ADDRESS));
    (node_address(CLIENT_ADDRESS), port).into()
}

fn make_dir(path: &Path) {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).unwrap();
}

fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
