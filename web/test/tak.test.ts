import { afterEach, describe, expect, it } from 'vitest'
import { catalogueOf, pageI18n, type Language } from '../src/i18n'
import { roomWord, takWord } from '../src/panels/tak'

async function speak(code: Language): Promise<void> {
  const { global } = pageI18n()
  global.setLocaleMessage(code, await catalogueOf(code))
  global.locale.value = code
}
afterEach(() => speak('en'))

describe('words of TAK clients', () => {
  it('are said in the language of the reader', async () => {
    await speak('ru')
    expect(takWord('team', 'Dark Blue')).toBe('тёмно-синяя')
    expect(takWord('role', 'Team Lead')).toBe('старший группы')
    expect(roomWord('All Chat Rooms', 'All Chat Rooms')).toBe('Общий чат')
  })

  it('stay as phones say them in English', () => {
    expect(takWord('team', 'Dark Blue')).toBe('Dark Blue')
    expect(roomWord('All Chat Rooms', 'All Chat Rooms')).toBe('All Chat Rooms')
  })

  it('stay as they are where people made them', async () => {
    await speak('ru')
    for (const name of ['ALPHA', 'constructor', '__proto__', 'a.b', '']) expect(takWord('team', name)).toBe(name)
    expect(roomWord('uid-7', 'BARYS 31')).toBe('BARYS 31')
  })
})
