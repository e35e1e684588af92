import { describe, expect, it } from 'vitest'
import type { Entry, LinkState } from '../src/api/types'
import { foldOf, foldSteps, orderNamed } from '../src/panels/folded'
import { authorOf, EVERYONE, JournalTail, kindOf, lineOf, roomsOf, TAIL_LIMIT, textOf } from '../src/store/journal'
import { Names, principalName } from '../src/store/names'
import { Seen } from '../src/stream/dedupe'

const entry = (n: number, more: Partial<Entry> = {}): Entry => ({
  id: `e${n}`, cursor: String(n), kind: 'note', body: { room: 'log', text: `line ${n}` }, author: 'p', author_name: 'A',
  happened_at_ms: n, received_at_ms: n, seq: n, ...more,
})

describe('the journal tail', () => {
  it('shows an entry once, however often it comes', () => {
    const tail = new JournalTail()
    expect(tail.add([entry(1), entry(2), entry(1)])).toBe(true)
    expect(tail.add([entry(2)])).toBe(false)
    expect(tail.all().map((one) => one.id)).toEqual(['e1', 'e2'])
  })

  it('stands in order of arrival, whatever order it came in', () => {
    const tail = new JournalTail()
    tail.add([entry(3), entry(1)])
    tail.add([entry(2)])
    expect(tail.all().map((one) => one.seq)).toEqual([1, 2, 3])
  })

  it('leaves out a drawing that a phone says again as it is', () => {
    const drawn = (n: number, change?: string) => entry(n, { kind: 'report', body: { name: 'PL RED', fields: change ? { change } : {} } })
    const tail = new JournalTail()
    tail.add([drawn(1), drawn(2, 'same'), drawn(3, 'renamed')])
    expect(tail.all().map((one) => one.seq)).toEqual([1, 3])
  })

  it('keeps the newest lines only', () => {
    const tail = new JournalTail()
    tail.add(Array.from({ length: TAIL_LIMIT + 20 }, (_, n) => entry(n)))
    expect(tail.all()).toHaveLength(TAIL_LIMIT)
    expect(tail.all()[0].seq).toBe(20)
  })
})

describe('entries', () => {
  it('are read by kind: journal lines and chat are both notes', () => {
    expect(kindOf(entry(1))).toBe('log')
    expect(kindOf(entry(1, { body: { room: 'ALPHA', text: 'x' } }))).toBe('chat')
    expect(kindOf(entry(1, { kind: 'act' }))).toBe('act')
    expect(kindOf(entry(1, { kind: 'order.v9' }))).toBe('other')
  })

  it('keep hostile text as text, and do without a body', () => {
    expect(textOf(entry(1, { body: { room: 'x', text: '<b>1</b>' } }))).toBe('<b>1</b>')
    expect(textOf(entry(1, { kind: 'act', body: undefined, summary: 'started' }))).toBe('started')
    expect(authorOf(entry(1, { author_name: null, body: { author_name: 'PATROL 1' } }))).toBe('PATROL 1')
  })

  it("name the rooms, everyone's first", () => {
    const list = [entry(1), entry(2, { body: { room: 'ZULU' } }), entry(3, { body: { room: 'ALPHA' } }), entry(4, { body: { text: 'x' } })]
    expect(roomsOf(list)).toEqual([EVERYONE, 'ALPHA', 'ZULU'])
  })
})

describe('the line of a drawing', () => {
  const names = new Names()
  const keyOf = (fields: Record<string, string>) => {
    const line = lineOf(entry(1, { kind: 'report', body: { entity: 'd', name: 'PL RED', category: 'drawing', position: { lat_deg: 42, lon_deg: 77 }, fields } }), names, [])
    return 'key' in line ? [line.key, line.values.name, line.values.grid] : [line.text]
  }

  it('says how it was changed, and is that of a new one where the word is not known', () => {
    expect(keyOf({})).toEqual(['line.report', 'PL RED', '43T FG 6563 5171'])
    expect(keyOf({ change: 'moved' })).toEqual(['line.moved', 'PL RED', '43T FG 6563 5171'])
    expect(keyOf({ change: 'restored' })[0]).toBe('line.restored')
    expect(keyOf({ change: 'toString' })[0]).toBe('line.report')
  })
})

describe('steps of a task in the tail', () => {
  const step = (n: number, target: string, action: string) => ({ entry: entry(n, { kind: 'paper', body: { type: 'tasks.task', target, action } }), kind: 'other' as const })
  const lines = [step(1, 'a', 'issue'), step(2, 'a', 'deliver'), step(3, 'b', 'deliver'), step(4, 'a', 'wilco'), { entry: entry(5), kind: 'log' as const }, step(6, 'a', 'late'), step(7, 'a', 'execute')]
  const shown = (open: string[]) => foldSteps(lines, new Set(open)).map(({ entry: one, fold, hidden }) => [one.id, fold, hidden])

  it('stand in one line, that of the newest, with how many it hides; what went wrong and what the staff says never hides', () => {
    expect(shown([])).toEqual([['e1', null, 0], ['e3', null, 0], ['e5', null, 0], ['e6', null, 0], ['e7', 'a', 2]])
  })

  it('all stand where they came when the task is opened', () => {
    expect(shown(['a']).map(([id]) => id)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7'])
    expect([foldOf(lines, 'e2'), foldOf(lines, 'e5'), foldOf(lines, 'gone')]).toEqual(['a', null, null])
  })
})

describe('answers to an order in the tail', () => {
  const said = (n: number, who: string, action: string, target = 'o1') => ({ entry: entry(n, { kind: 'paper', summary: `${who}: ${action}`, body: { type: 'orders.order', target, action, fields: { [`to/${who}`]: { said: action } } } }), kind: 'other' as const })
  const issue = { entry: entry(1, { kind: 'paper', summary: 'OPORD 1 DAY: issue', body: { type: 'orders.order', target: 'o1', action: 'issue' } }), kind: 'other' as const }
  const lines = [issue, said(2, 'A', 'deliver'), said(3, 'B', 'read'), said(4, 'A', 'wilco'), { entry: entry(5), kind: 'log' as const }, said(6, 'C', 'cannot_comply'), said(7, 'D', 'wilco', 'o2'), said(8, 'B', 'acknowledge'), said(9, 'A', 'deliver')]
  const shown = (open: string[]) => foldSteps(lines, new Set(open)).map(({ entry: one, fold, answers }) => [one.id, fold, answers])
  const counts = [{ state: 'cannot_comply', who: ['C'] }, { state: 'wilco', who: ['A'] }, { state: 'acknowledged', who: ['B'] }]

  it('are one line with who stands how; a receipt takes no word back, and one answer alone stands for itself', () => {
    expect(shown([])).toEqual([['e1', null, null], ['e5', null, null], ['e7', null, null], ['e9', 'o1', counts]])
  })

  it('all stand where they came, above that line, when the order is opened', () => {
    expect(shown(['o1']).map(([id]) => id)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9', 'e9'])
    expect(foldOf(lines, 'e2')).toBe('o1')
  })

  it('are of an order that is called as the line that issued it calls it', () => {
    const entries = lines.map(({ entry: one }) => one)
    expect([orderNamed(entries, 'o1'), orderNamed(entries, 'o2')]).toEqual(['OPORD 1 DAY', null])
  })
})

describe('names behind ids', () => {
  const alias = { scheme: 'cot', value: 'uid-1' }
  const report = entry(1, { kind: 'report', author: 'listener:tcp', body: { entity: 'e-1', alias, name: 'LZ EAGLE', category: 'marker', parent: { scheme: 'cot', value: 'phone-1' } } })
  const removal = entry(2, { kind: 'removal', body: { entity: 'e-1', alias }, summary: 'uid-1 removed' })

  it('are said of what was removed, also when it is long gone', () => {
    const names = new Names()
    expect(lineOf(removal, names, [])).toEqual({ text: 'uid-1 removed' })
    names.fromEntries([report])
    expect(lineOf(removal, names, [])).toEqual({ key: 'line.removed', values: { name: 'LZ EAGLE' } })
  })

  it('are those of the phone that reported', () => {
    const names = new Names()
    expect(authorOf(report, names)).toBe('TCP')
    names.fromLinks([{ uid: 'phone-1', callsign: 'PATROL 1' } as LinkState])
    expect(authorOf(report, names)).toBe('PATROL 1')
  })

  it('are those of principals', () => {
    const node = { id: '01a2', name: 'BRIGADE MAIN' }
    expect(['listener:tcp', 'device:PATROL1', 'person:operator', 'node:01a2', 'node:77', 'TCP 8087'].map((id) => principalName(id, node))).toEqual(
      ['TCP', 'PATROL1', 'operator', 'BRIGADE MAIN', '77', 'TCP 8087'],
    )
    expect(authorOf(entry(1, { author: 'node:01a2', author_name: '01a2' }), new Names(), node)).toBe('BRIGADE MAIN')
    expect(authorOf(entry(1, { author: 'node:01a2', body: { author_name: '01a2', text: 'REMINDER' } }), new Names(), node)).toBe('BRIGADE MAIN')
  })

  it('are forgotten oldest first beyond the limit', () => {
    const names = new Names(1)
    names.fromEntries([report, entry(3, { kind: 'report', body: { entity: 'e-2', name: 'B' } })])
    expect([names.ofEntity('e-1'), names.ofEntity('e-2')]).toEqual([null, 'B'])
  })

  it('are not put on a link of another run of the node', () => {
    const up = entry(5000, { kind: 'act', body: { action: 'link.up', target: 'listener:tcp', detail: { link: 'tcp:1' } } })
    const link = { id: '1', transport: 'tcp', callsign: 'PATROL 1', since_ms: 5000 } as LinkState
    expect(lineOf(up, new Names(), [link])).toEqual({ key: 'line.linkUp', values: { name: 'PATROL 1' } })
    expect(lineOf(up, new Names(), [{ ...link, since_ms: 99_000 }])).toEqual({ key: 'line.linkUp', values: { name: 'TCP' } })
  })
  it('say who it was by callsign, else by the phrase of the node', () => {
    const down = { kind: 'act', body: { action: 'link.down', target: 'listener:tcp', detail: { link: 'tcp:1', callsign: 'HELLO' } } }
    expect(lineOf(entry(5000, down), new Names(), [])).toEqual({ key: 'line.linkDown', values: { name: 'HELLO' } })
    const who = { act: 'told.guest', words: { via: 'TCP', address: '192.0.2.1' } }
    const up = { kind: 'act', body: { action: 'link.up', target: 'listener:tcp', detail: { link: 'tcp:1' } }, words: { target: who } }
    expect(lineOf(entry(5000, up), new Names(), [])).toEqual({ key: 'line.linkUp', values: { name: 'TCP' }, who })
  })

  it('turn no grid that follows them', () => {
    const drawn = entry(1, { kind: 'report', body: { name: 'A\u2069\u202eB', category: 'drawing', position: { lat_deg: 43, lon_deg: 77 } } } as Partial<Entry>)
    expect(lineOf(drawn, new Names(), [])).toMatchObject({ key: 'line.report', values: { name: '\u2068A\u202eB\u2069' } })
  })

  it('stand in lines about emergencies', () => {
    const called = entry(1, { kind: 'report', body: { name: 'PATROL 1-Alert', category: 'alert', emergency: { type: '911 Alert', active: true } } })
    expect(lineOf(called, new Names(), [])).toEqual({ key: 'line.emergency', values: { name: 'PATROL 1' }, kind: '911 Alert' })
  })
})

describe('seen ids', () => {
  it('are forgotten oldest first beyond the limit', () => {
    const seen = new Seen(2)
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map((id) => seen.first(id))).toEqual([true, true, false, true, true, true])
  })
})
