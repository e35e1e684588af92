import { describe, expect, it } from 'vitest'
import type { ClaimRow, SubjectRow } from '../src/api.generated'
import { graphOf, KNOTS_MAX, linksOf, momentsOf, placesOfWords } from '../src/intel/intel'

const label = { policy: 'P', classification: 'UNCLASSIFIED', releasable_to: [], groups: [] } as unknown as SubjectRow['label']
const claim = (id: string, of: string, to = '', at_ms = 0): ClaimRow => ({ id, of, text: to ? '' : 'x', link: to ? 'knows' : null, to, at_ms, from_ms: null, until_ms: null, lat_deg: null, lon_deg: null, sources: [], is_disputed: false, by: 'p', label })
const subject = (id: string, claims: ClaimRow[] = [], merged: string[] = []): SubjectRow => ({ id, kind: 'group', name: id, aliases: [], text: '', lat_deg: null, lon_deg: null, state: 'open', merged, claims, actions: [], heads: [], made_at_ms: 0, keep_until_ms: null, label })

describe('intelligence', () => {
  it('links what is there, and what was merged counts as what it was merged into', () => {
    const rows = [subject('a', [claim('1', 'a', 'b'), claim('2', 'a', 'gone'), claim('3', 'a', 'old')]), subject('b', [], ['old'])]
    expect(linksOf(rows).map((link) => [link.from, link.to])).toEqual([['a', 'b'], ['a', 'b']])
  })

  it('puts the chosen one into the middle, its neighbours around it, and no two on one place', () => {
    const rows = [subject('a', [claim('1', 'a', 'b'), claim('2', 'a', 'c')]), subject('b', [claim('3', 'b', 'd')]), subject('c'), subject('d'), subject('alone')]
    const graph = graphOf(rows, 'a')
    expect(graph.knots.find((knot) => knot.row.id === 'a')).toMatchObject({ x: 0, y: 0 })
    expect(graph.knots.map((knot) => knot.row.id)).toEqual(['a', 'b', 'c', 'd'])
    expect(new Set(graph.knots.map((knot) => `${knot.x} ${knot.y}`)).size).toBe(4)
    expect([graph.left_out, graph.links.length]).toEqual([1, 3])
    expect(graphOf(rows, null).left_out).toBe(0)
    expect(graphOf(rows, 'a')).toEqual(graphOf([...rows], 'a'))
    expect(graphOf([], null)).toEqual({ knots: [], links: [], left_out: 0 })
  })

  it('puts the word of a link where no name and no other word stands', () => {
    const rows = [subject('LOSS OF A QUAD BIKE', [claim('1', 'LOSS OF A QUAD BIKE', 'QUAD'), claim('2', 'LOSS OF A QUAD BIKE', 'QUAD')]), subject('QUAD')]
    const [x, y] = [0, 120]
    const graph = { knots: [{ row: rows[0], x, y: 0 }, { row: rows[1], x, y }], links: linksOf(rows), left_out: 0 }
    const [word, other] = placesOfWords(graph, ['took part in', 'happened at'])
    // The name above has two lines and ends 48 below its knot; letters of the word are 11 high.
    expect(word.y).toBeGreaterThanOrEqual(59)
    expect(Math.abs(other.y - word.y)).toBeGreaterThanOrEqual(12)
    expect(placesOfWords({ knots: [], links: [], left_out: 0 }, [])).toEqual([])
  })

  it('draws a bounded number and says how many it leaves out', () => {
    const many = Array.from({ length: 200 }, (_, n) => subject(`s${n}`))
    const graph = graphOf([subject('hub', many.map((row, n) => claim(`${n}`, 'hub', row.id))), ...many], 'hub')
    expect([graph.knots.length, graph.left_out]).toEqual([KNOTS_MAX, 201 - KNOTS_MAX])
    expect(graph.links.length).toBe(KNOTS_MAX - 1)
  })

  it('tells what is said of one, and by others of it, the newest first', () => {
    const rows = [subject('a', [claim('1', 'a', '', 10), claim('2', 'a', 'b', 30)]), subject('b', [claim('3', 'b', '', 20)]), subject('c', [claim('4', 'c', 'a', 40)])]
    expect(momentsOf(rows, 'a').map((moment) => moment.claim.id)).toEqual(['4', '2', '1'])
    expect(momentsOf(rows, 'b').map((moment) => moment.claim.id)).toEqual(['2', '3'])
    expect(momentsOf(rows, 'nobody')).toEqual([])
  })
})
