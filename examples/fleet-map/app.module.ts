import { Module } from '@nestjs/common';
import { FleetModule } from './fleet.module.js';

@Module({ imports: [FleetModule] })
export class AppModule {}
