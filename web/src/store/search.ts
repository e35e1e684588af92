/** Finds entities by any of their words. */
import type { TrackMeta } from '../api/types'
import type { TrackStore } from './tracks'

const keys = new WeakMap<TrackMeta, string>()
const names = new WeakMap<TrackMeta, string>()
const ORDER: Record<string, number> = { alert: 0, unit: 1, platform: 2, track: 3, place: 4, marker: 5 }

/** Lower case and without accents, so that `unita` finds `Unità`. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

function keyOf(meta: TrackMeta): string {
  let key = keys.get(meta)
  if (key === undefined) {
    key = fold(`${meta.name} ${meta.type} ${meta.source} ${meta.category} ${meta.affiliation}`)
    keys.set(meta, key)
  }
  return key
}

/** Numbers are padded, so that PATROL 2 stands before PATROL 10. */
function sortName(meta: TrackMeta): string {
  let name = names.get(meta)
  if (name === undefined) {
    name = fold(meta.name).replace(/\d+/g, (digits) => digits.padStart(8, '0'))
    names.set(meta, name)
  }
  return name
}

function rank(meta: TrackMeta): number {
  return meta.emergency ? -1 : (ORDER[meta.category] ?? 6)
}

/** Handles whose words hold every word of the query, emergencies first, then by kind and name. */
export function findTracks(store: TrackStore, query: string): number[] {
  const words = fold(query).split(/\s+/).filter(Boolean)
  const found: number[] = []
  store.meta.forEach((meta, h) => {
    if (meta && words.every((word) => keyOf(meta).includes(word))) found.push(h)
  })
  return found.sort((a, b) => {
    const [left, right] = [store.meta[a]!, store.meta[b]!]
    const order = rank(left) - rank(right)
    if (order) return order
    const [l, r] = [sortName(left), sortName(right)]
    return l < r ? -1 : l > r ? 1 : 0
  })
}
