// Server personalities: what a pNFS server of a certain make answers. Plain values; the drivers ask them.
// What each reproduces and why: PERSONALITIES.md beside this file.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/control/striping_rules.hpp"

namespace pnfs::mds::layout {

using control::FirstIndexRule;
using control::HandleRule;
using control::StripingRules;

// What a device id says (RFC 8881 12.2.10).
enum class DeviceIds : uint8_t {
  content,   // made from what it stands for: other data servers, another id; layouts with the old one are recalled
  instance,  // the same, and a data server that starts again is another: clients that gave up on it come back at once
  fixed,     // one id whose mapping changes: clients are notified, or (2014) not
};

struct DirectoryRules {
  std::string path;   // from the export's root
  std::string words;  // of striping, for files that are made below it
};

struct Personality {
  std::string name = "modern";
  StripingRules striping;
  std::vector<DirectoryRules> directories;

  bool grants_rw = true;       // false: LAYOUTGET for RW is refused with BADIOMODE
  std::string rw_refusal;      // the reason that the trace shows then
  bool grants_layouts = true;  // false: LAYOUTUNAVAILABLE for all

  bool layoutcommit_stub = false;  // answers OK and changes nothing
  bool offers_layoutcommit = true;
  bool recalls = true;
  bool checks_stateids_at_ds = true;
  bool mds_is_the_ds = false;  // local-export

  DeviceIds device_ids = DeviceIds::content;
  bool device_notices = true;            // CB_NOTIFY_DEVICEID for who asked for it
  bool device_change_immediate = false;  // ndc_immediate of a changed mapping
  bool devices_from_dlm_line = false;    // the data servers are those of the pnfs_dlm_device line, without it: none
  bool dlm_keeps_old_tail = false;       // quirks of the /proc file, off unless asked for
  bool dlm_prefix_match = false;

  // FATTR4_MDSTHRESHOLD: read_size, write_size, read_iosize, write_iosize (RFC 8881 5.12.6); unset: no such hint.
  std::array<std::optional<uint64_t>, 4> thresholds;

  // How long a revoked layout is shown in SEQUENCE's flags when nobody frees its stateid. RFC 8881 18.46.3 says until
  // FREE_STATEID; but Linux never frees layout stateids, and drops all its layouts at each reply that has the flag.
  bool revoked_until_freed = false;
};

// modern, dlm-2014, local-export, spnfs. invalid with the list of names.
Result<Personality> make_personality(std::string_view name);
std::vector<std::string_view> personality_names();

// Words as of striping_rules.hpp, and those of the personality as a whole: rw, recalls, layouts, ds-stateid-checks,
// device-ids=content|instance|fixed, device-notices, device-change=immediate|later, dlm-keeps-old-tail, dlm-prefix-match,
// threshold-{read,write}-{size,iosize}=BYTES, revoked-until-freed. invalid: says what is wrong.
Result<void> apply_words(Personality& personality, std::string_view words);
// "/dir unit=8K packing=dense".
Result<void> add_directory(Personality& personality, std::string_view text);

}  // namespace pnfs::mds::layout
