package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.testing.ChildJvm;

/** What ends the process: no exception is thrown, nothing can be caught. Each runs in its own. */
@EngineBehaviour
class AbortBehaviourTest {

    /** The exit code for an exception or error, which is what one would expect. */
    private static final int THROWN = 42;

    /** What the process says before it tries. */
    private static final String READY = "ready";

    private static final Shape PAIR = new Shape(2);

    @TempDir Path folder;

    enum Attempt {
        FLOAT16_ZEROS,
        BFLOAT16_ZEROS,
        BFLOAT16_CAST,
        BFLOAT16_SAFETENSORS,
        UINT16_ZEROS,
        INT16_ZEROS,
        INT16_CAST,
        INT16_CREATE;

        private void run(NDManager manager) {
            switch (this) {
                case FLOAT16_ZEROS -> manager.zeros(PAIR, DataType.FLOAT16);
                case BFLOAT16_ZEROS -> manager.zeros(PAIR, DataType.BFLOAT16);
                case BFLOAT16_CAST -> manager.zeros(PAIR).toType(DataType.BFLOAT16, false);
                case BFLOAT16_SAFETENSORS -> decodeBfloat16(manager);
                case UINT16_ZEROS -> manager.zeros(PAIR, DataType.UINT16);
                case INT16_ZEROS -> manager.zeros(PAIR, DataType.INT16);
                case INT16_CAST -> manager.zeros(PAIR).toType(DataType.INT16, false);
                case INT16_CREATE ->
                        manager.create(ByteBuffer.allocateDirect(4), PAIR, DataType.INT16);
            }
        }

        private static void decodeBfloat16(NDManager manager) {
            String header = "{'x':{'dtype':'BF16','shape':[2],'data_offsets':[0,4]}}";
            byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
            ByteBuffer file =
                    ByteBuffer.allocate(8 + json.length + 4).order(ByteOrder.LITTLE_ENDIAN);
            file.putLong(json.length).put(json);
            NDList.decode(manager, new ByteArrayInputStream(file.array()));
        }
    }

    /** The process that does it. */
    static final class Child {

        private Child() {}

        public static void main(String[] args) {
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                System.out.print(READY);
                System.out.flush();
                Attempt.valueOf(args[0]).run(manager);
            } catch (Throwable e) {
                System.exit(THROWN);
            }
        }
    }

    private int exitCode(Attempt attempt) throws Exception {
        Process process =
                ChildJvm.start(
                        Child.class,
                        List.of(
                                "-Xmx64m",
                                "-XX:TieredStopAtLevel=1",
                                "-XX:-CreateCoredumpOnCrash",
                                "-XX:ErrorFile=" + folder.resolve("error.log"),
                                "-Dai.djl.offline=true",
                                "-Dai.djl.pytorch.num_threads=1",
                                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
                        attempt.name());
        String said = ChildJvm.said(process);
        assertTrue(said.contains(READY), said);
        return process.waitFor();
    }

    @ParameterizedTest
    @EnumSource(names = "FLOAT16_ZEROS", mode = EnumSource.Mode.EXCLUDE)
    void endsTheProcess(Attempt attempt) throws Exception {
        int code = exitCode(attempt);
        assertNotEquals(0, code, "it works");
        assertNotEquals(THROWN, code, "it is an exception");
    }

    @Test
    void float16DoesNot() throws Exception {
        assertEquals(0, exitCode(Attempt.FLOAT16_ZEROS));
    }
}
