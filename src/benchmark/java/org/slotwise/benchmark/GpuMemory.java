package org.slotwise.benchmark;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.cuda.CudaUtils;

/** Memory of a pass where it is computed. */
final class GpuMemory {

    private GpuMemory() {}

    /**
     * The most that a pass takes beyond what there was before, in MB (10^6 bytes): of the host as
     * {@link Resident} has it; of a GPU what the engine's allocator, which gives nothing back by
     * itself, got from it after it had given back what was free.
     */
    static double peak(NDManager manager, Runnable pass) {
        if (!manager.getDevice().isGpu()) {
            return Resident.peak(pass);
        }
        Contender.await(manager);
        JniUtils.emptyCudaCache();
        double before = used(manager);
        pass.run();
        Contender.await(manager);
        return used(manager) - before;
    }

    private static double used(NDManager manager) {
        return CudaUtils.getGpuMemory(manager.getDevice()).getUsed() / 1e6;
    }
}
