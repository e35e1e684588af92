/** What the filter lets through, worked out once for everything that shows it. */
import { computed, type Ref } from 'vue'
import type { Desk } from '../store/desk'
import { nations_version } from '../store/nations'
import { ageCounts, worthOf, type TrackFilter, type TrackIndex } from '../store/search'

type Worth = ReturnType<typeof worthOf>

function isSame(one: Worth, other: Worth): boolean {
  return (Object.keys(one) as (keyof Worth)[]).every((key) => one[key] === other[key])
}

export function tracksShown(desk: Desk, index: TrackIndex, filter: Readonly<Ref<TrackFilter>>) {
  /** What the whole picture is worth, counted on the ages that are shown: true while the node is silent, too. */
  const worth = computed<Worth>((before) => {
    void desk.tick.value
    const now = worthOf(desk.tracks, desk.clock.now_ms())
    // The same counts are the same thing: nobody need draw them again.
    return before && isSame(before, now) ? before : now
  })
  /** All but the age, which the pills count. */
  const found = computed(() => {
    void desk.meta_version.value
    if (filter.value.nation) void nations_version.value
    // Things move into an area and out of it without a new name.
    if (filter.value.area) void desk.tick.value
    return index.find({ ...filter.value, age: undefined }, desk.clock.now_ms())
  })
  const counts = computed(() => {
    const all = found.value.length
    const { entities, fresh, guessed, stale } = worth.value
    // Most of the time the filter is open, and the bar has counted already.
    if (all === entities) return { all, fresh, ageing: guessed, stale }
    return { all, ...ageCounts(desk.tracks, found.value, desk.clock.now_ms()) }
  })
  const shown = computed(() => {
    const age = filter.value.age
    if (!age) return found.value
    void desk.tick.value
    const now_ms = desk.clock.now_ms()
    return found.value.filter((h) => desk.tracks.age(h, now_ms) === age)
  })
  return { worth, found, counts, shown }
}
