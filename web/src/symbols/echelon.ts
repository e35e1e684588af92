/** Echelons, and the symbol of a unit of which nothing else is known. */

/** From the smallest. */
export const ECHELONS = [
  'TEAM', 'SQUAD', 'SECTION', 'PLATOON', 'COMPANY', 'BATTALION', 'REGIMENT', 'BRIGADE', 'DIVISION', 'CORPS', 'ARMY', 'ARMY_GROUP', 'THEATRE', 'COMMAND',
] as const

/** A friendly land unit of an echelon; null or another word: of none. */
export function sidcOfEchelon(echelon: string | null | undefined): string {
  const n = ECHELONS.findIndex((one) => one === echelon)
  // Digits 9 and 10: 11 to 18 up to the brigade, 21 to 26 from the division (MIL-STD-2525D, table A-VII).
  const digits = n < 0 ? '00' : String(n < 8 ? n + 11 : n + 13)
  return `10031000${digits}0000000000`
}
