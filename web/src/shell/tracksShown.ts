/** What the filter lets through, worked out once for everything that shows it. */
import { computed, ref, watch, type Ref } from 'vue'
import { fusedTracks, ledTo, stoodFor, withoutMembers } from '../draw/members'
import type { TrackMeta } from '../api/types'
import { isDrawn } from '../map/names'
import type { Desk } from '../store/desk'
import { nations_version } from '../store/nations'
import { ageCounts, worthOf, type TrackFilter, type TrackIndex } from '../store/search'

type Worth = ReturnType<typeof worthOf>

function isSame(one: Worth, other: Worth): boolean {
  return (Object.keys(one) as (keyof Worth)[]).every((key) => one[key] === other[key])
}

function isEqual(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((id) => other.has(id))
}

function isSameStanding(one: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): boolean {
  return one.size === other.size && [...one].every(([h, track]) => other.get(h) === track)
}

export function tracksShown(desk: Desk, index: TrackIndex, filter: Readonly<Ref<TrackFilter>>) {
  /** Entities that no answer has yet, since their names are still being read; the page is let breathe between slices. */
  const unread = ref(0)
  const is_read = computed(() => unread.value === 0)
  let reads_on = false
  function readOn(): void {
    unread.value = index.behind
    if (!index.behind || reads_on) return
    reads_on = true
    setTimeout(() => {
      reads_on = false
      index.goOn()
      readOn()
    })
  }
  const fused_tracks = computed(() => {
    void desk.meta_version.value
    return fusedTracks(desk.tracks)
  })
  /** Members that a fused track stands for, as on the map: they are neither listed nor counted beside it. */
  const stood = computed<ReadonlyMap<number, number>>((before) => {
    void desk.tick.value
    const now = stoodFor(desk.tracks, desk.clock.now_ms(), fused_tracks.value)
    return before && isSameStanding(before, now) ? before : now
  })
  /** What the whole picture is worth, counted on the ages that are shown: true while the node is silent, too. */
  const worth = computed<Worth>((before) => {
    void desk.tick.value
    const now = worthOf(desk.tracks, desk.clock.now_ms(), stood.value)
    // The same counts are the same thing: nobody need draw them again.
    return before && isSame(before, now) ? before : now
  })
  /** All that have the words and are of the kind, members of tracks among them. */
  const hits = computed(() => {
    void desk.meta_version.value
    void is_read.value
    if (filter.value.nation) void nations_version.value
    // Things move into an area and out of it without a new name.
    if (filter.value.area) void desk.tick.value
    return index.find({ ...filter.value, age: undefined }, desk.clock.now_ms())
  })
  /** Tracks that were found by a member -> this member. */
  const led = computed(() => ledTo(hits.value, stood.value))
  /** All but the age, which the pills count. */
  const found = computed(() => withoutMembers(hits.value, stood.value, led.value))
  watch(hits, readOn, { immediate: true })
  const counts = computed(() => {
    const all = found.value.length
    const { entities, fresh, ageing, stale } = worth.value
    // Most of the time the filter is open, and the bar has counted already.
    if (all === entities) return { all, fresh, ageing, stale }
    return { all, ...ageCounts(desk.tracks, found.value, desk.clock.now_ms()) }
  })
  const shown = computed(() => {
    const age = filter.value.age
    if (!age) return found.value
    void desk.tick.value
    const now_ms = desk.clock.now_ms()
    return found.value.filter((h) => desk.tracks.age(h, now_ms) === age)
  })
  /** Ids of symbols that the filter leaves out, but for the one that is picked; drawings have switches of their own. The list and the table are narrowed always, the map where a brief is shown. */
  const left_out = computed<ReadonlySet<string>>((before) => {
    const kept = new Set(shown.value)
    // Without a filter all are kept.
    const isLeftOut = (meta: TrackMeta, h: number) => !isDrawn(meta) && !kept.has(h) && !stood.value.has(h) && meta.id !== desk.selected.value
    const now = new Set(Object.values(filter.value).some(Boolean) ? desk.tracks.meta.flatMap((meta, h) => (meta && isLeftOut(meta, h) ? [meta.id] : [])) : [])
    // The same ids are the same set: the map need not learn them again.
    return before && isEqual(before, now) ? before : now
  })
  return { unread, worth, led, found, counts, shown, left_out }
}
