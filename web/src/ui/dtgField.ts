/** Shows the first time of a form that is none, and answers whether there is one: for forms that check the rest themselves. */
export function refusesTime(form: HTMLFormElement | null): boolean {
  const wrong = form?.querySelector<HTMLInputElement>('.dtg-field input:invalid')
  return wrong ? !wrong.reportValidity() : false
}
