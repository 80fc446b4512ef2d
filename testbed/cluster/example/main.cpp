// How the author of a user-space client tests it against a pNFS cluster: no ports, no daemons, no namespaces, no waiting.
// The cluster lives in this process on virtual time; a client reaches it through byte streams; fault rules break it; the
// trace says what the servers saw.
#include <fmt/format.h>

#include <cstdlib>

#include "testbed/cluster/cluster.hpp"

namespace {

using namespace pnfs;

void check(bool good, const char* what) {
  fmt::print("{} {}\n", good ? "ok    " : "not ok", what);
  if (!good) std::exit(1);
}

// A client of your own speaks through io::Stream where it would use a socket. This one knows one request: the NULL
// procedure of NFS, which answers that the server is there (RFC 8881 16.1).
io::Task<bool> ping(io::Network& network, io::Endpoint server) {
  auto stream = co_await network.connect(server);
  if (!stream) co_return false;
  constexpr uint32_t kCall[] = {0x80000028, 7, 0, 2, 100003, 4, 0, 0, 0, 0, 0};  // one record of 40 bytes
  std::vector<std::byte> request;
  for (const uint32_t word : kCall)
    for (int shift = 24; shift >= 0; shift -= 8) request.push_back(static_cast<std::byte>(word >> shift));
  const io::ConstBytes piece(request);
  if (auto sent = co_await (*stream)->write({&piece, 1}); !sent) co_return false;
  std::vector<std::byte> reply(28);  // record mark, xid, REPLY, MSG_ACCEPTED, no verifier, SUCCESS
  if (auto got = co_await io::read_exactly(**stream, reply); !got) co_return false;
  (*stream)->close();
  co_return reply[7] == std::byte{7} && reply[11] == std::byte{1} && reply[27] == std::byte{0};
}

void a_client_of_your_own() {
  cluster::Cluster cluster({.seed = 7, .data_servers = 2});
  check(cluster.start().has_value(), "a metadata server and two data servers are up");
  io::Network& mine = cluster.add_node("my client");
  check(cluster.run(ping(mine, cluster.mds_address())), "the metadata server answers");
  check(cluster.run(ping(mine, cluster.ds_address(2))), "so does the second data server");
}

// The client that comes with the cluster, and a server that refuses layouts for writing.
void a_fault() {
  cluster::Options options;
  options.rules = {"on mds before LAYOUTGET iomode=RW do return BADIOMODE"};
  cluster::Cluster cluster(std::move(options));
  check(cluster.start().has_value(), "a cluster with a fault rule is up");
  client::FileSystem& fs = cluster.add_client("client1");
  check(cluster.run(fs.mount(cluster.mds_address())).has_value(), "the client mounts");
  auto file = cluster.run(fs.open("file", client::OpenHow::create_new()));
  check(file.has_value(), "it makes a file");
  const std::vector<std::byte> data(256 * 1024, std::byte{'x'});
  const auto refused = cluster.run(fs.write_striped(*file, 0, data));
  check(!refused && refused.error().is(nfs::NFS4ERR_BADIOMODE), "its write through a layout gets NFS4ERR_BADIOMODE");
  check(cluster.trace().count("ds1", "WRITE") == 0, "no WRITE reached a data server");

  cluster.faults("mds").clear();
  check(cluster.run(fs.write_striped(*file, 0, data)).has_value(), "without the rule it succeeds");
  check(cluster.trace().count("ds1", "WRITE") > 0 && cluster.trace().count("ds2", "WRITE") > 0,
        "through both data servers");
  cluster.kill("ds2");
  check(cluster.restart("ds2").has_value(), "a data server crashes and comes back, in no time");
  const auto read = cluster.run(fs.read_striped(*file, 0, 256 * 1024));
  check(read.has_value() && read->bytes.size() == data.size(), "the client still reads");
}

}  // namespace

int main() {
  a_client_of_your_own();
  a_fault();
}
