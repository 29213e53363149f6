/**
 * A GPU that is not there: mistakes with devices, found on a CPU ({@code mvn test -P virtual-gpu}).
 *
 * <p>The trick. DJL's engine asks libtorch where an array lies, and remembers the answer in the
 * array. An agent changes the engine's classes when they are loaded ({@link
 * org.slotwise.virtualgpu.VirtualGpu}): the native layer is told "CPU" when the engine says "GPU",
 * and each array that a native call gives is marked with the device on which it would lie on a
 * machine with a GPU ({@link org.slotwise.virtualgpu.Placement}). So all arrays lie in the memory
 * of the CPU, while the library, the tests and DJL see some of them on {@code gpu(0)}.
 *
 * <p>Each native call is looked at before it is made ({@link org.slotwise.virtualgpu.NativeCalls}):
 *
 * <ul>
 *   <li>arrays of two devices in one operation: it fails, as it would on a GPU;
 *   <li>a copy from one device to the other on behalf of the library: it is written down with its
 *       place ({@link org.slotwise.virtualgpu.Crossings}), and if {@link
 *       org.slotwise.virtualgpu.IntendedCrossing} does not list the place, the test fails at its
 *       end ({@link org.slotwise.virtualgpu.VirtualGpuExtension}). What tests copy themselves, to
 *       look at results, does not count.
 * </ul>
 *
 * <p>Everything seen is in {@code virtual-gpu.txt} in the build folder. docs/gpu.md says what this
 * proves, and what it does not.
 */
package org.slotwise.virtualgpu;
