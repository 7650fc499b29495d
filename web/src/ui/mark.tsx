// The mark of the product: two wheels, one vehicle.
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="9" fill="#0f6b63" />
      <circle cx="12" cy="16" r="6.2" fill="none" stroke="#fff" strokeWidth="2.6" />
      <circle cx="20" cy="16" r="6.2" fill="none" stroke="#8fe3d2" strokeWidth="2.6" />
    </svg>
  );
}
