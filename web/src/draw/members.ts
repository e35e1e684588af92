/** Who is shown by somebody else: members of fused tracks have no symbol of their own while the track is believed. */
import type { TrackStore } from '../store/tracks'

/** Handles of fused tracks: few among many, and others only when names change. */
export function fusedTracks(store: TrackStore): number[] {
  const found: number[] = []
  store.meta.forEach((meta, h) => {
    if (meta?.members?.length) found.push(h)
  })
  return found
}

/** Ids of entities that a fused track stands for. A track that is stale stands for nobody. */
export function membersOf(store: TrackStore, now_ms: number, tracks: readonly number[] = fusedTracks(store)): Set<string> {
  const found = new Set<string>()
  for (const h of tracks) {
    const meta = store.meta[h]
    if (!meta?.members || store.age(h, now_ms) === 'stale') continue
    for (const id of meta.members) if (id !== meta.id) found.add(id)
  }
  return found
}

/** Handles of members -> those of the tracks that stand for them in lists. Who is in need is listed himself, too. */
export function stoodFor(store: TrackStore, now_ms: number, tracks: readonly number[] = fusedTracks(store)): Map<number, number> {
  const found = new Map<number, number>()
  for (const id of membersOf(store, now_ms, tracks)) {
    const [member, track] = [store.handleOf(id), store.trackOf(id, now_ms)]
    if (member !== null && track !== null && !store.meta[member]?.emergency) found.set(member, track)
  }
  return found
}

/** Tracks that are no hits themselves -> the first of their members that is one. */
export function ledTo(hits: readonly number[], stood: ReadonlyMap<number, number>): Map<number, number> {
  const led = new Map<number, number>()
  if (!stood.size) return led
  const own = new Set(hits)
  for (const h of hits) {
    const track = stood.get(h)
    if (track !== undefined && !own.has(track) && !led.has(track)) led.set(track, h)
  }
  return led
}

/** Hits as a list shows them: no member beside its track; a track that a member leads to stands in the place of this one. */
export function withoutMembers(hits: readonly number[], stood: ReadonlyMap<number, number>, led: ReadonlyMap<number, number>): readonly number[] {
  if (!stood.size) return hits
  return hits.flatMap((h) => {
    const track = stood.get(h)
    if (track === undefined) return h
    return led.get(track) === h ? track : []
  })
}
