// Data servers that come and go while a lab runs.
#pragma once

#include <chrono>
#include <functional>

#include "testbed/lab/lab_state.hpp"

namespace pnfs::lab {

// Name and port of the lab's n-th, from 1.
inline std::string data_server_name(unsigned number) {
  return fmt::format("ds{}", number);
}
inline uint16_t data_server_port(const Server& mds, unsigned number) {
  return static_cast<uint16_t>(mds.port + number);
}

// As the MDS sees one.
struct DataServerState {
  std::string name;
  std::string state;  // joining, member, lost, fenced, left
  bool draining = false;
  bool used = false;  // some layout names it
  std::string addresses;
};
Result<std::vector<DataServerState>> list_data_servers(const LabState& lab);

// Starts one more, at the next free number and its port or, in the topology `hosts`, on a host of its own; as the last
// was started; and writes lab.json. All or nothing of it, an interrupt included. unsupported for containers. One that
// has ended is started again by start_again() (lab.hpp).
Result<Server> add_data_server(LabState& lab);
// New layouts do not name it, layouts that do are recalled; or the reverse.
Result<void> drain_data_server(const LabState& lab, const std::string& name, bool draining);
// Until no layout names it. `tick` is called while it waits. timeout.
Result<void> wait_unused(const LabState& lab, const std::string& name, std::chrono::seconds limit,
                         const std::function<void()>& tick);
// Ends its process if it runs, has the MDS forget it, takes its host away, and writes lab.json. unsupported for
// containers.
Result<void> remove_data_server(LabState& lab, const std::string& name, std::chrono::seconds limit);

}  // namespace pnfs::lab
