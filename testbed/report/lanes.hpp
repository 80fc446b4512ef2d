// Which lane an event belongs to.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "testbed/report/run.hpp"

namespace pnfs::report {

// Clients are told apart by their owner string. What a client sends before it has said that (and what is traced without)
// is found by its connection, else by its address.
class Lanes {
 public:
  explicit Lanes(std::span<const trace::OwnedEvent> events);

  const std::vector<Lane>& all() const { return lanes_; }
  // From whom to whom.
  std::pair<size_t, size_t> of(const trace::OwnedEvent& event) const;
  size_t node(const std::string& name) const;
  size_t client(const trace::OwnedEvent& event) const;

 private:
  std::string client_id(const trace::OwnedEvent& event) const;
  size_t add(const std::string& id, std::string title, bool client);

  std::vector<Lane> lanes_;
  std::map<std::string, size_t> by_id_;
  std::map<std::pair<std::string, uint64_t>, std::string> owner_of_connection_;
  std::map<std::string, std::string> owner_of_address_;
};

// "10.0.0.2:812" without the port.
std::string address_of(const std::string& endpoint);

}  // namespace pnfs::report
