// Asks the server. What it refuses is an Error with its own words.

export async function get<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return answered<T>(await fetch(`api/${path}${given.length ? `?${search}` : ""}`));
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return answered<T>(await fetch(`api/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answered<T>(answer: Response): Promise<T> {
  const found = await answer.json().catch(() => ({ error: `the server answers ${answer.status}` }));
  if (!answer.ok) throw new Error(found.error ?? `the server answers ${answer.status}`);
  return found as T;
}
