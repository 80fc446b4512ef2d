// The places where rules can act, and the names of what they can answer there. This folder knows no protocol: whoever
// does adds its points (compound: operations and callbacks; control and target theirs).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/fault/injector.hpp"
#include "common/xdr/descriptor.hpp"

namespace pnfs::fault {

std::string_view to_string(Domain domain);  // "operation", "block", ...: also the prefix in "block.READ"
std::string_view to_string(Stage stage);    // "before", "after", "reply"

// A place that rules name: "LAYOUTGET", "CB_RECALL", "control.GRANT", "block.WRITE", "connection.CONNECT".
struct Point {
  Domain domain = Domain::operation;
  std::string name;                     // without the prefix
  std::string section;                  // of the RFC, may be empty
  const xdr::TypeInfo* args = nullptr;  // nullptr: nothing to look at
  const xdr::TypeInfo* res = nullptr;
  std::vector<uint32_t> valid_statuses{};  // that the protocol allows here; empty: any
};

class Vocabulary {
 public:
  // With the points that need no protocol: block and connection.
  Vocabulary();

  void add(Point point);
  // The names of statuses in a domain. A status may be written without one of `prefixes`. `names` must outlive this.
  void set_statuses(Domain domain, std::span<const xdr::Enumerator> names, std::vector<std::string> prefixes = {});

  const std::vector<Point>& points() const { return points_; }
  // Case does not matter.
  std::optional<uint32_t> status_number(Domain domain, std::string_view text) const;
  std::string status_name(Domain domain, uint32_t number) const;

  // Points whose name matches: "LAYOUTGET", "LAYOUT*", "*" (every operation), "block.READ", "scsi.*". A name without
  // prefix is looked for among operations, then callbacks, control calls and SCSI commands. Empty: no such point.
  std::vector<const Point*> find(std::string_view pattern) const;
  // The name that looks most like it, "" when none does.
  std::string nearest(std::string_view name) const;

  // One line a point: its name, stages, section; with its fields when `fields`. For `fault list --points`.
  std::vector<std::string> describe(bool fields = false) const;

 private:
  struct Statuses {
    std::span<const xdr::Enumerator> names;
    std::vector<std::string> prefixes;
  };
  std::vector<Point> points_;
  std::map<Domain, Statuses> statuses_;
};

// As rules write it: the prefix is left out for operations and callbacks.
std::string full_name(const Point& point);
// Which stages a point has.
bool has_stage(Domain domain, Stage stage);

// SCSI answers as one number: status | sense key << 8 | ASC << 16 | ASCQ << 24.
std::span<const xdr::Enumerator> scsi_statuses();
// Block errors are the numbers of pnfs::Errc.
std::span<const xdr::Enumerator> block_statuses();

}  // namespace pnfs::fault
