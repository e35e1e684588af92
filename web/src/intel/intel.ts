/** Intelligence on the page: what is linked with what, where it lies in the picture of links, and what happened when. */
import { call } from '../api/client'
import type { ClaimRow, CollectionRow, InboxRow, PersonsOpened, PlanCollection, StepTaken, SubjectRow } from '../api.generated'

export type Kind = SubjectRow['kind']
export type LinkKind = NonNullable<ClaimRow['link']>

/** Kind of link: what it may begin at, and what it may end at. The node refuses anything else. */
export const LINKS: Readonly<Record<LinkKind, readonly [readonly Kind[], readonly Kind[]]>> = {
  member_of: [['person', 'group'], ['group']],
  part_of: [['place', 'event'], ['place', 'event']],
  uses: [['person', 'group'], ['vehicle', 'place']],
  seen_at: [['person', 'group', 'vehicle'], ['place']],
  based_at: [['person', 'group', 'vehicle'], ['place']],
  happened_at: [['event'], ['place']],
  took_part_in: [['person', 'group', 'vehicle'], ['event']],
  knows: [['person', 'group'], ['person', 'group']],
  near_to: [['place', 'event', 'vehicle'], ['place', 'event', 'vehicle']],
}

const one = (id: string) => encodeURIComponent(id)
export const intel = {
  inbox: () => call<InboxRow[]>('GET', '/intel/inbox?limit=60'),
  subjects: () => call<SubjectRow[]>('GET', '/intel/subjects'),
  plan: () => call<CollectionRow[]>('GET', '/intel/collection'),
  grade: (entry: string, grade: string, reason: string) => call<StepTaken>('POST', '/intel/grades', { entry, reliability: grade[0], credibility: grade[1], reason }),
  make: (kind: Kind, subject: Record<string, unknown>, reason: string) =>
    kind === 'person' ? call<StepTaken>('POST', '/intel/persons', { person: subject, reason }) : call<StepTaken>('POST', '/intel/subjects', { kind, subject }),
  step: (row: SubjectRow, action: string, fields: Record<string, unknown>) =>
    call<StepTaken>('POST', `/intel/${row.kind === 'person' ? 'persons' : 'subjects'}/${one(row.id)}/steps`, { action, fields, seen: row.heads }),
  open: (reason: string, q: string) => call<PersonsOpened>('POST', '/intel/persons/open', { reason, q }),
  erase: (id: string, reason: string) => call<StepTaken>('POST', `/intel/persons/${one(id)}/erase`, { reason }),
  planOne: (collection: PlanCollection['collection']) => call<StepTaken>('POST', '/intel/collection', { collection }),
  stepPlan: (row: CollectionRow, action: string, fields: Record<string, unknown>) => call<StepTaken>('POST', `/intel/collection/${one(row.id)}/steps`, { action, fields, seen: row.heads }),
}

export interface Link {
  claim: ClaimRow
  from: string
  to: string
}
export interface Knot {
  row: SubjectRow
  x: number
  y: number
}
export interface Graph {
  knots: Knot[]
  links: Link[]
  /** Subjects that are there and not drawn. */
  left_out: number
}
export const KNOTS_MAX = 60
const RING = 120

/** All links between subjects that are there; whoever was merged counts as what it was merged into. */
export function linksOf(rows: readonly SubjectRow[]): Link[] {
  const is = new Map(rows.flatMap((row) => [row.id, ...row.merged].map((id) => [id, row.id] as const)))
  return rows.flatMap((row) => row.claims.flatMap((claim) => {
    const to = claim.link ? is.get(claim.to) : undefined
    return to && to !== row.id ? [{ claim, from: row.id, to }] : []
  }))
}

/** The picture around one subject: in the middle it, around it who is linked with it, outside who is linked with those. */
export function graphOf(rows: readonly SubjectRow[], middle: string | null): Graph {
  const links = linksOf(rows)
  const next = new Map<string, string[]>(rows.map((row) => [row.id, []]))
  for (const { from, to } of links) {
    next.get(from)?.push(to)
    next.get(to)?.push(from)
  }
  const first = rows.find((row) => row.id === middle) ?? [...rows].sort((a, b) => (next.get(b.id)!.length - next.get(a.id)!.length) || (a.id < b.id ? -1 : 1))[0]
  if (!first) return { knots: [], links: [], left_out: 0 }
  const rings: string[][] = [[first.id]]
  const seen = new Set([first.id])
  while (rings.at(-1)!.length) {
    const ring = [...new Set(rings.at(-1)!.flatMap((id) => [...next.get(id)!].sort()))].filter((id) => !seen.has(id))
    ring.forEach((id) => seen.add(id))
    rings.push(ring)
  }
  const alone = rows.filter((row) => !seen.has(row.id)).map((row) => row.id)
  const order = [...rings.flat(), ...(middle ? [] : alone)].slice(0, KNOTS_MAX)
  const ringOf = (id: string) => { const at = rings.findIndex((ring) => ring.includes(id)); return at < 0 ? rings.length - 1 || 1 : at }
  const counts = new Map<number, number>()
  order.forEach((id) => counts.set(ringOf(id), (counts.get(ringOf(id)) ?? 0) + 1))
  const placed = new Map<number, number>()
  const byId = new Map(rows.map((row) => [row.id, row]))
  const knots = order.map((id) => {
    const ring = ringOf(id)
    const n = placed.get(ring) ?? 0
    placed.set(ring, n + 1)
    // Rings begin turned against each other, so that names of one do not lie behind those of the next.
    const turn = (n / counts.get(ring)!) * 2 * Math.PI - Math.PI / 2 + ring * 0.4
    return { row: byId.get(id)!, x: Math.round(ring * RING * 1.35 * Math.cos(turn)) || 0, y: Math.round(ring * RING * Math.sin(turn)) || 0 }
  })
  const drawn = new Set(order)
  return { knots, links: links.filter(({ from, to }) => drawn.has(from) && drawn.has(to)), left_out: rows.length - order.length }
}

const LINE_CHARS = 18
/** A name in lines that stay beside their neighbours', whole: a line breaks before the word that would be too much. */
export function inLines(name: string): string[] {
  return name.split(' ').reduce<string[]>((rows, word) => {
    const row = rows.at(-1)
    return row !== undefined && row.length + word.length < LINE_CHARS ? [...rows.slice(0, -1), `${row} ${word}`] : [...rows, word]
  }, [])
}

/** Of the widest letters, in the graph's units. */
const NAME_CHAR = 8
const WORD_CHAR = 6
/** Parts of a line's length where its word may stand, the middle first. */
const WORD_AT = [0.5, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2]
interface Box { left: number; right: number; top: number; bottom: number }
const meet = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

/** Where the word of each link stands (the middle of its foot): on its line, and clear of knots, names and other words where one place is. */
export function placesOfWords(graph: Graph, words: readonly string[]): { x: number; y: number }[] {
  const knots = new Map(graph.knots.map((knot) => [knot.row.id, knot]))
  const taken = graph.knots.map(({ row, x, y }): Box => {
    const rows = inLines(row.name)
    const half = (Math.max(...rows.map((one) => one.length)) * NAME_CHAR) / 2
    return { left: x - half, right: x + half, top: y - 12, bottom: y + 20 + rows.length * 14 }
  })
  return graph.links.map(({ from, to }, n) => {
    const [a, b] = [knots.get(from)!, knots.get(to)!]
    const places = WORD_AT.map((part) => ({ x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part - 4 }))
    const half = (words[n].length * WORD_CHAR) / 2
    const boxOf = ({ x, y }: { x: number; y: number }): Box => ({ left: x - half, right: x + half, top: y - 11, bottom: y + 3 })
    const place = places.find((one) => !taken.some((box) => meet(box, boxOf(one)))) ?? places[0]
    taken.push(boxOf(place))
    return place
  })
}

export interface Moment {
  at_ms: number
  claim: ClaimRow
  subject: SubjectRow
}

/** What is said of one subject, and by others of it, the newest first. */
export function momentsOf(rows: readonly SubjectRow[], id: string): Moment[] {
  const row = rows.find((each) => each.id === id)
  if (!row) return []
  const ids = new Set([row.id, ...row.merged])
  return rows
    .flatMap((of) => of.claims.filter((claim) => of === row || ids.has(claim.to)).map((claim) => ({ at_ms: claim.at_ms, claim, subject: of })))
    .sort((a, b) => b.at_ms - a.at_ms)
}
