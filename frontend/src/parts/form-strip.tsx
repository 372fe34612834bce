export interface FormPart {
  name: string;
  bars: number;
  /** 0 to 1 */
  energy: number;
}

/** The form of a piece at a glance: a block for each section, as wide as it is long and as high as it is lively. */
export function FormStrip({ parts }: { parts: FormPart[] }) {
  return (
    <ol className="form-strip" aria-label="Form">
      {parts.map(({ name, bars, energy }, n) => (
        <li key={n} style={{ flexGrow: Math.max(bars, 1) }} title={`${name}, ${bars} bars`}>
          <span className="form-space">
            <span className="form-block" style={{ height: `${20 + 80 * energy}%` }} />
          </span>
          <span className="form-name">
            {name}
            <span className="visually-hidden">, {bars} bars</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
