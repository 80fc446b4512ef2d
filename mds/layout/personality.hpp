// Server personalities: what a pNFS server of a certain make answers. Plain values; the drivers ask them.
// What each reproduces and why: docs in ARCHITECTURE.md, "Profiles".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs {
class ConfigReader;
}

namespace pnfs::mds::layout {

enum class FirstIndexRule : uint8_t {
  zero,
  inode_mask,    // inode AND (servers - 1): what pnfs-dlm did; with 3 servers index 1 is never first
  inode_modulo,  // inode modulo stripe count
};

struct Personality {
  std::string name = "modern";

  bool grants_rw = true;  // false: LAYOUTGET for RW is refused with BADIOMODE
  std::string rw_refusal;  // the reason that the trace shows then
  bool grants_layouts = true;  // false: LAYOUTUNAVAILABLE for all

  uint32_t stripe_bytes = 64 * 1024;  // a multiple of 4096
  uint32_t stripe_count = 0;          // 0: one stripe index for each data server
  bool dense = false;
  bool commit_thru_mds = false;
  uint64_t pattern_offset = 0;   // a multiple of 4096
  uint64_t segment_bytes = 0;    // 0: the whole file in one segment
  FirstIndexRule first_index = FirstIndexRule::zero;
  bool return_on_close = false;
  bool one_handle = true;  // sparse: one filehandle for all data servers, else one for each

  bool layoutcommit_stub = false;  // answers OK and changes nothing
  bool offers_layoutcommit = true;
  bool offers_layoutreturn = true;
  bool recalls = true;
  bool checks_stateids_at_ds = true;
  bool mds_is_the_ds = false;         // local-export
  bool devices_from_dlm_line = false;  // the data servers are those of the pnfs_dlm_device line
  bool keeps_old_dlm_tail = false;     // quirks of the /proc file, off unless asked for
  bool dlm_prefix_match = false;
};

// modern, dlm-2014, local-export, spnfs. invalid with the list of names.
Result<Personality> make_personality(std::string_view name);
std::vector<std::string_view> personality_names();

// The [layout] table of a configuration file: `profile` first, then single options on top of it. Errors of values that
// contradict each other (a stripe unit that is no multiple of 4096) as Result; those of types by ConfigFile::finish().
Result<void> read_personality(ConfigReader& reader, Personality& personality);
Result<void> check_personality(const Personality& personality);

}  // namespace pnfs::mds::layout
