/**
 * Blocks as TorchScript: files that plain PyTorch loads, with parameters under the same names, and
 * equations that Python, C++ and DJL run without this library.
 *
 * <p>What can be written says so itself: layers and blocks that are {@link
 * org.slotwise.torchscript.Scriptable} give their equations as a {@link
 * org.slotwise.torchscript.ScriptModule}, in which their parts' modules stand. {@link
 * org.slotwise.torchscript.TorchScript} writes the whole to a file, and {@link
 * org.slotwise.torchscript.LoadedScript} computes it as one call of the engine.
 */
@NullMarked
package org.slotwise.torchscript;

import org.jspecify.annotations.NullMarked;
