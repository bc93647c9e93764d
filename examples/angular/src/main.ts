import { Component, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { injectCollection, injectStatus, provideLive } from 'nestjs-live/angular';
import { connect } from 'nestjs-live/client';

interface Car {
  readonly x: number;
  readonly y: number;
}

const live = connect<{ cars: Car }>('/live');

declare module 'nestjs-live/angular' {
  interface Register {
    client: typeof live;
  }
}

@Component({
  selector: 'app-cars',
  template: `
    <p id="state">{{ status().state }}</p>
    <button (click)="isShown.set(!isShown())">cars</button>
    <ul>
      @for (car of cars().data; track car[0]) {
        <li>{{ car[0] }}: {{ car[1].x }}, {{ car[1].y }}</li>
      }
    </ul>
  `,
})
class Cars {
  readonly isShown = signal(true);
  readonly status = injectStatus();
  readonly cars = injectCollection(() => (this.isShown() ? 'cars' : undefined));
}

bootstrapApplication(Cars, { providers: [provideLive(live)] }).catch((error) => console.error(error));
