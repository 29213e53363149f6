package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.Engine;
import java.io.InputStream;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** The tests run with the DJL that the build names, and with the JNI layer that belongs to it. */
@EngineBehaviour
class EngineVersionTest {

    @Test
    void isTheOneThatTheBuildNames() throws Exception {
        String named = System.getProperty("slotwise.djl.version");
        assumeTrue(named != null, "not run by Maven");
        assertEquals(named, Engine.getDjlVersion());
        try (InputStream in =
                getClass().getClassLoader().getResourceAsStream("jnilib/pytorch.properties")) {
            assertNotNull(in);
            Properties jni = new Properties();
            jni.load(in);
            String libtorch = Engine.getEngine("PyTorch").getVersion();
            assertEquals(libtorch + "-" + named, jni.getProperty("jni_version"));
        }
    }
}
