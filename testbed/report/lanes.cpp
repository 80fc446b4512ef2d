#include "testbed/report/lanes.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace pnfs::report {

namespace {

using trace::Kind;
using trace::OwnedEvent;

bool of_client(const OwnedEvent& e) {
  return e.node != "target" && (e.kind == Kind::op || e.kind == Kind::callback || e.kind == Kind::rpc ||
                                e.kind == Kind::state || e.kind == Kind::net || e.kind == Kind::fault);
}

// "Linux NFSv4.1 vm1" is vm1 to people.
std::string title_of(const std::string& owner) {
  const size_t blank = owner.starts_with("Linux NFSv4.") ? owner.find(' ', 7) : std::string::npos;
  std::string title = blank == std::string::npos ? owner : owner.substr(blank + 1);
  for (char& c : title)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return title.size() > 40 ? title.substr(0, 37) + "..." : title;
}

int rank(const std::string& node) {
  return node == "mds" ? 0 : node.starts_with("ds") ? 1 : node == "target" ? 3 : 2;
}

}  // namespace

std::string address_of(const std::string& endpoint) {
  return endpoint.substr(0, endpoint.rfind(':'));
}

Lanes::Lanes(std::span<const OwnedEvent> events) {
  std::set<std::string> nodes, peers;
  std::map<std::string, std::set<std::string>> owners_at;
  for (const OwnedEvent& e : events) {
    nodes.insert(e.node);
    if (e.kind == Kind::control && !e.client.empty()) peers.insert(e.client);
    if (!of_client(e) || e.client.empty() || e.client_addr.empty()) continue;
    if (e.conn) owner_of_connection_[{e.node, *e.conn}] = e.client;
    owners_at[address_of(e.client_addr)].insert(e.client);
  }
  for (const auto& [address, owners] : owners_at)
    if (owners.size() == 1) owner_of_address_[address] = *owners.begin();
  nodes.insert(peers.begin(), peers.end());
  for (const OwnedEvent& e : events) {
    // A node of the lab that connects is no client.
    if (!of_client(e) || nodes.contains(e.client)) continue;
    if (e.kind == Kind::net && client_id(e) == address_of(e.client_addr)) continue;
    if (const std::string id = client_id(e); !id.empty()) add("client:" + id, title_of(id), true);
  }
  std::vector<std::string> sorted(nodes.begin(), nodes.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tuple(rank(a), a.size(), a) < std::tuple(rank(b), b.size(), b);
  });
  for (const std::string& name : sorted) add(name, name, false);
}

size_t Lanes::add(const std::string& id, std::string title, bool client) {
  const auto [at, fresh] = by_id_.emplace(id, lanes_.size());
  if (fresh) lanes_.push_back({id, std::move(title), client});
  return at->second;
}

std::string Lanes::client_id(const OwnedEvent& e) const {
  if (!e.client.empty()) return e.client;
  if (e.conn)
    if (const auto found = owner_of_connection_.find({e.node, *e.conn}); found != owner_of_connection_.end())
      return found->second;
  const std::string address = address_of(e.client_addr);
  const auto found = owner_of_address_.find(address);
  return found == owner_of_address_.end() ? address : found->second;
}

size_t Lanes::node(const std::string& name) const {
  const auto found = by_id_.find(name);
  return found == by_id_.end() ? 0 : found->second;
}

size_t Lanes::client(const OwnedEvent& e) const {
  const auto found = by_id_.find("client:" + client_id(e));
  return found == by_id_.end() ? node(e.node) : found->second;
}

std::pair<size_t, size_t> Lanes::of(const OwnedEvent& e) const {
  const size_t here = node(e.node);
  switch (e.kind) {
    case Kind::op:
    case Kind::rpc:
      return {client(e), here};
    case Kind::callback:
      return {here, client(e)};
    case Kind::control: {
      const auto peer = by_id_.find(e.client);
      return {peer == by_id_.end() ? here : peer->second, here};
    }
    case Kind::scsi: {
      const auto peer = by_id_.find(e.client.substr(e.client.rfind(':') + 1));
      return {peer == by_id_.end() ? here : peer->second, here};
    }
    default:
      return {here, here};
  }
}

}  // namespace pnfs::report
