import { afterEach, describe, expect, it } from 'vitest'
import { colon, joined, said, saidField, saidCause, saidIn, saidPath, saidReason, saidRefusal, saidRemedy, saidWord, told, type Phrase, type Refusal } from '../src/acts/said'
import { ApiError } from '../src/api/client'
import type { Entry } from '../src/api/types'
import { lengthOf } from '../src/draw/typed'
import { bytes, latLon, lengthShown, lengthText, metres, speed } from '../src/geo/format'
import { titleOf } from '../src/staff/tasks/title'
import { ageClock, ageRound } from '../src/time/age'
import { catalogueOf, pageI18n, type Language } from '../src/i18n'

async function speak(code: Language): Promise<void> {
  const { global } = pageI18n()
  global.setLocaleMessage(code, await catalogueOf(code))
  global.locale.value = code
}
afterEach(() => speak('en'))

const LATE: Phrase = {
  act: 'tasks.task.judged',
  words: { task: 'Мост', found: { act: 'tasks.found.late' }, reason: { act: 'tasks.why.unknown', words: { area: 'OBJ A', time: '1210Z' } } },
}

describe('what the node says', () => {
  it('is said by the catalogue in English too, without words of the program', () => {
    expect(said(LATE, 'as it came')).toBe('Мост: late, not in OBJ A by 1210Z: its position is not known')
    const added: Phrase = { act: 'did.package_add', words: { target: 'Bridge.jpg', detail: { act: 'told.with', words: { parts: [{ act: 'detail.submitter_name', words: { value: 'anna' } }] } } } }
    expect(said(added, 'package.add 5f1c (hash 0a0a)')).toBe('Package Bridge.jpg added (from: anna)')
    expect(said({ act: 'medevac.request.step', words: { what: 'MEDEVAC 1', step: { act: 'step.mark' } } }, 'MEDEVAC 1: mark')).toBe('MEDEVAC 1: time noted')
  })

  it('is said in the language of the page, with the phrases in it', async () => {
    await speak('ru')
    expect(said(LATE, 'english')).toBe('Мост: просрочено, к 1210Z не в районе OBJ A: место неизвестно')
    expect(said({ act: 'roles.turn.given', words: { post: { act: 'post.duty_officer' }, who: 'anna' } }, 'english')).toBe('Дежурный офицер: anna')
    expect(said({ act: 'patterns.finding.found', words: { what: { act: 'patterns.text.stop', words: { a: 'P1' } } } }, 'english')).toBe('Поведение: P1: остановка')
    expect(said({ act: 'did.device_add', words: { target: 'device:P1', detail: '' } }, 'english')).toBe('P1: устройство добавлено')
    expect(said({ act: 'orders.order.step', words: { what: 'x', step: [{ act: 'step.read' }, 'moon'] } }, 'english')).toBe('x: прочитано, moon')
  })

  it('joins a name and a value as the language does', async () => {
    expect([joined('A', 'b'), joined('', 'b'), joined('A', null), colon()]).toEqual(['A: b', 'b', 'A', ': '])
    await speak('fr')
    expect([joined('A', 'b'), colon()]).toEqual(['A\u00a0: b', '\u00a0: '])
  })

  it('quotes a library as what the program says, and says a cause that it knows', async () => {
    const revoked: Phrase = { act: 'refused.no_device_here', words: { who: 'P1' } }
    expect(saidCause({}, 'database disk image is malformed')).toBe('database disk image is malformed')
    await speak('it')
    expect(saidCause({}, 'database disk image is malformed')).toBe('il programma dice: «database disk image is malformed»')
    expect(saidCause(revoked, 'P1 is no device in force here')).toBe('P1 non è un dispositivo valido qui')
  })

  it('stays as it came where this page does not know the sentence, or a phrase in it', async () => {
    await speak('kk')
    expect(said({ act: 'moon.landed' }, 'landed')).toBe('landed')
    expect(said({ act: 'orders.order.step', words: { what: 'A', step: { act: 'step.land' } } }, 'A: land')).toBe('A: land')
    expect(said({ act: '' }, 'typed by somebody')).toBe('typed by somebody')
  })

  it('has its key under that of all sentences', () => {
    expect(saidIn({ act: 'x', words: {} }, { t: (key) => key, has: () => true })).toBe('act.x')
  })
})

describe('why a link was lost', () => {
  const lost = (value: unknown, reason = 'closed by the peer', action = 'link.down') =>
    ({ body: { action, detail: { reason } }, words: { target: 'device:P1', detail: { act: 'told.with', words: { parts: [{ act: 'detail.reason', words: { value } }] } } } }) as unknown as Entry
  const closed = { act: 'links.why.peer_closed', words: {} }

  it('is said in the language of the page, and in the words of the node where it has no sentence', async () => {
    expect([lost(closed), lost('moon in the way', 'moon in the way')].map(saidReason)).toEqual(['closed by the peer', 'moon in the way'])
    await speak('ru')
    expect(saidReason(lost(closed))).toMatch(/^[а-я ]+$/)
  })
  it('is of links that went alone, and of those that say it', () => {
    expect([lost(closed, ''), lost(closed, 'closed by the peer', 'link.up'), { body: null } as Entry].map(saidReason)).toEqual(['', '', ''])
  })
})

describe('fixed words', () => {
  it('of forms are found by their English; what people wrote stays', async () => {
    expect(saidWord('form', 'Size')).toBe('Size')
    await speak('it')
    expect(['Size', '6 Security', 'escort', 'Our own heading'].map((text) => saidWord('form', text))).toEqual(['S – Entità', '6 Sicurezza', 'scorta necessaria', 'Our own heading'])
    expect(saidWord('handover.promise', 'to be told')).toBe('da informare')
  })

  it('of tasks are said where the node called them by their verb', async () => {
    await speak('it')
    expect(titleOf({ title: 'T1 patrol', verb: 'PATROL' })).toBe('T1 pattugliare')
    expect(titleOf({ title: '', verb: 'OBSRV' })).toBe('tenere sotto osservazione')
    expect(titleOf({ title: 'Patrol to the lake', verb: 'PATROL' })).toBe('Patrol to the lake')
  })
})

describe('figures', () => {
  it('have the decimal mark and the units of the language, but not in places and in names', async () => {
    const all = () => [speed(1.2), bytes(1536), lengthShown(2500), metres(1200), ageClock(90_000_000), ageClock(70_000), ageRound(60_000), lengthText(2500), latLon(42.8, 77.5)]
    const kept = ['2.50 km', '42.80000° N 077.50000° E']
    const shown: [Language, string][] = [
      ['en', '4.3 km/h, 1.5 KiB, 2.50 km, 1\u202f200 m, 1 d 1 h, 1 min 10 s, 1 min'],
      ['it', '4,3 km/h, 1,5 KiB, 2,50 km, 1\u202f200 m, 1 g 1 h, 1 min 10 s, 1 min'],
      ['fr', '4,3 km/h, 1,5 Kio, 2,50 km, 1\u202f200 m, 1 j 1 h, 1 min 10 s, 1 min'],
      ['ru', '4,3 км/ч, 1,5 КиБ, 2,50 км, 1\u202f200 м, 1 сут 1 ч, 1 мин 10 с, 1 мин'],
      ['kk', '4,3 км/сағ, 1,5 КиБ, 2,50 км, 1\u202f200 м, 1 тәул 1 сағ, 1 мин 10 с, 1 мин'],
    ]
    for (const [code, line] of shown) {
      await speak(code)
      expect(all().slice(0, -2).join(', ')).toBe(line)
      expect(all().slice(-2)).toEqual(kept)
    }
  })

  it('are read back with the unit of any alphabet', () => {
    expect(['500 m', '2,5 km', '500 м', '2,5 КМ', '500 kg'].map(lengthOf)).toEqual([500, 2500, 500, 2500, null])
  })
})

describe('a field of a report', () => {
  it('has its name in the language of the page; what was written, and a field of our own, stays', async () => {
    expect(saidField('form', 'patrols: 4')).toBe('Patrols: 4')
    await speak('kk')
    expect(saidField('form', 'patrols: 4')).toMatch(/^[А-Яа-яӘ-ӿ ]+: 4$/)
    expect(saidField('form', 'places: Medeu')).not.toContain('places')
    expect(saidField('form', 'our own heading: x')).toBe('our own heading: x')
    expect(saidField('form', 'no field at all')).toBe('no field at all')
  })
})

describe('a path in an order', () => {
  it('is a place in the language of the page; any other path stays', async () => {
    expect(saidPath('tasks.T2.end_ms')).toBe('task T2, end')
    expect(saidPath('mission.when')).toBe('mission, when')
    expect(saidPath('maps/base.pmtiles')).toBe('maps/base.pmtiles')
    await speak('ru')
    expect(saidPath('tasks.T2.text')).toBe('задача T2, текст')
  })
})

describe('a refusal', () => {
  const late = { code: 'time', act: 'refused.future', words: { what: 'the time', ms: '1' } }
  it('is a sentence in the language of the page', async () => {
    await speak('kk')
    expect(saidRefusal({ code: 'syntax', act: 'refused.too_many', words: { n: '8', field: [{ act: 'field.phrases' }] } }, 'Expected `array`')).toBe('сөз тіркестері: ең көбі 8')
    expect(saidRefusal(late, 'english')).toContain('болашақта')
  })
  it('is told in general where the page has no sentence, with what the node said; as it came in English', async () => {
    expect(saidRefusal({ code: 'taken' }, 'moon is taken')).toBe('moon is taken')
    await speak('fr')
    expect(saidRefusal({ code: 'taken' }, 'moon is taken')).toBe('Ce nom est pris («moon is taken»)')
    expect(saidRefusal({ code: 'moon' }, 'no')).toBe('Le nœud l’a refusé («no»)')
  })
  it('is kept as it came, and said anew in the language of now', async () => {
    const refusal: Refusal = { ...late, reason: 'the time 1 ms lies in the future', remedy: 'wait a minute', allowed: null }
    expect(told(refusal).remedy).toBe('wait a minute')
    await speak('ru')
    expect(told({ ...refusal, about: 'bridge.jpg' }).reason).toMatch(/^bridge\.jpg: .*в будущем/)
    expect(told(refusal).remedy).toBe('подождите минуту')
  })
  it('that a board shows for a while follows the language too', async () => {
    const kept = new ApiError(422, 'time', 'the time 1 ms lies in the future', null, null, { ...late, reason: 'the time 1 ms lies in the future', remedy: 'wait a minute', allowed: null })
    await speak('ru')
    expect(kept.reason).toContain('в будущем')
    expect(kept.advice).toBe('подождите минуту')
    await speak('en')
    expect(kept.reason).toMatch(/^the time 1 ms lies in the future/)
  })
  it('has advice for people only', async () => {
    expect(saidRemedy('every parameter and its values are in /api/v1/openapi.json')).toContain('openapi')
    await speak('ru')
    expect(saidRemedy('wait a minute')).toBe('подождите минуту')
    expect(saidRemedy('every parameter and its values are in /api/v1/openapi.json')).toBeNull()
  })
})
